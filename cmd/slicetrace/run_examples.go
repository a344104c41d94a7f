package main

// runExamples are in the help of run. TestExamples runs each of them.
const runExamples = `  sudo slicetrace run
  sudo slicetrace run spin --workers 3 --cores 0 --duration 2s
  sudo slicetrace run pipe --mode threads --operations 10007 --rounds 1
  sudo slicetrace run --format csv -o run.json > cores.csv
  sudo slicetrace run --phases none -- make -j2
  sudo slicetrace run pipe --rounds 1 --record pipe.rec
  sudo slicetrace run --keep 5s --when 'wait>20ms' --record late.rec -- make -j2
  sudo slicetrace run -- make -j2
  sudo slicetrace run --prices prices.json -- make -j2
  sudo slicetrace run --why -- make -j2
  sudo slicetrace run -q -o build.json -- make -j2
  sudo slicetrace run --rounds 12 --warmup 1 --prepare 'make clean' -- make -j2
  sudo slicetrace run --command 'make -j1' --command 'make -j2' --prepare 'make clean'
  sudo slicetrace run --command 'perf bench sched pipe' --command 'perf bench sched pipe -T' \
      --label processes --label threads --metric '([0-9]+) (ops/sec)'
  sudo slicetrace run -q -o - pipe | jq .quality
  sudo slicetrace run --all --why --duration 5s
  sudo slicetrace run --all --duration 5s --record all.rec
  sudo slicetrace run --all --keep 5s --when 'wait>20ms of nginx*' --record late.rec
  sudo slicetrace run --comm 'slicetrace*' --uid root --every 500ms --duration 2s`
