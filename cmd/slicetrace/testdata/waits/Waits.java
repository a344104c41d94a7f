// Waits at known places, and says for how long it had no core at each: a word for it, and nanoseconds.

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.Pipe;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicLong;

public class Waits {
	interface Wait { void here() throws Exception; }

	static final ThreadMXBean threads = ManagementFactory.getThreadMXBean();

	/** Of both threads. */
	static final AtomicLong slept = new AtomicLong(), read = new AtomicLong(), synced = new AtomicLong();

	static void add(AtomicLong sum, Wait wait) throws Exception {
		long begin = System.nanoTime() - threads.getCurrentThreadCpuTime();
		wait.here();
		sum.addAndGet(System.nanoTime() - threads.getCurrentThreadCpuTime() - begin);
	}

	public static void main(String[] unused) throws Exception {
		Pipe requests = Pipe.open(), answers = Pipe.open();
		FileChannel file = FileChannel.open(Path.of("written"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
		Thread server = new Thread(() -> {
			try {
				for (ByteBuffer b = ByteBuffer.allocate(1);;) {
					add(read, () -> requests.source().read(b));
					b.flip();
					if (b.get(0) == 'e')
						return;
					add(slept, () -> Thread.sleep(3));
					answers.sink().write(b);
					b.clear();
				}
			} catch (Exception e) {
				throw new RuntimeException(e);
			}
		});
		server.start();
		for (int i = 0; i < 50; i++) {
			add(slept, () -> Thread.sleep(2));
			requests.sink().write(ByteBuffer.allocate(1));
			add(read, () -> answers.source().read(ByteBuffer.allocate(1)));
			file.write(ByteBuffer.allocate(4096));
			add(synced, () -> file.force(true));
		}
		requests.sink().write(ByteBuffer.wrap(new byte[] { 'e' }));
		server.join();
		System.out.println("sleep " + slept + "\nread " + read + "\nfsync " + synced);
		Runtime.getRuntime().halt(0);
	}
}
