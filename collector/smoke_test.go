package collector
import ("testing";"time";"fmt";"os/exec")
func TestSmoke(t *testing.T){
 t0:=time.Now()
 fl,err:=ProbeFloor(); if err!=nil {t.Fatal(err)}
 t1:=time.Now()
 c,err:=Open(Options{HZ:250}); if err!=nil {t.Fatal(err)}
 t2:=time.Now()
 fmt.Println("floor",fl,"took",t1.Sub(t0),"open",t2.Sub(t1))
 defer c.Close()
 b,err:=c.Snapshot(); if err!=nil {t.Fatal(err)}
 t3:=time.Now()
 out,_:=exec.Command("perf","bench","sched","pipe","-l","50000").CombinedOutput()
 fmt.Println(string(out))
 t4:=time.Now()
 a,err:=c.Snapshot(); if err!=nil {t.Fatal(err)}
 fmt.Println("snap",time.Since(t4), t3.Sub(t2))
 in,err:=a.Since(b); if err!=nil {t.Fatal(err)}
 for _,k:=range in.Cores { 
  fmt.Printf("core %d wall %d idle %d work %d oth %d self %d err %d steal %d ticks %d/%d\n",k.CPU,k.WallNS,k.IdleNS,k.WorkersNS,k.OthersNS,k.SelfNS,k.WallNS-k.IdleNS-k.WorkersNS-k.OthersNS-k.SelfNS,k.StealNS,*k.Ticks,*k.BusyTicks)
  for _,cl:=range k.Classes { fmt.Printf("  %s n %d pick %d avg %d sw %d avg %d cost %d max %d\n",cl.Class,cl.Switches,cl.Pick.Count,cl.Pick.SumNS/max(1,cl.Pick.Count),cl.Switch.Count,cl.Switch.SumNS/max(1,cl.Switch.Count),cl.Cost.Count,cl.Cost.MaxNS)}
 }
 fmt.Printf("%+v\n",in.Lost)
 fmt.Println(c.Capture()); fmt.Println(c.RecursionMisses()); fmt.Println(c.Switches())
}
