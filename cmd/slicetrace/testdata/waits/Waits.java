// Waits at known places, and says for how long it was at each: a word for it, and nanoseconds.

import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.Pipe;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

public class Waits {
	interface Wait { void here() throws Exception; }

	static long took(Wait wait) throws Exception {
		long begin = System.nanoTime();
		wait.here();
		return System.nanoTime() - begin;
	}

	public static void main(String[] unused) throws Exception {
		Pipe requests = Pipe.open(), answers = Pipe.open();
		FileChannel file = FileChannel.open(Path.of("written"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
		Thread server = new Thread(() -> {
			try {
				for (ByteBuffer b = ByteBuffer.allocate(1); requests.source().read(b) == 1; b.clear()) {
					Thread.sleep(3);
					b.flip();
					answers.sink().write(b);
				}
			} catch (Exception e) {
				throw new RuntimeException(e);
			}
		});
		server.setDaemon(true);
		server.start();
		long slept = 0, read = 0, synced = 0;
		for (int i = 0; i < 50; i++) {
			slept += took(() -> Thread.sleep(2));
			requests.sink().write(ByteBuffer.allocate(1));
			read += took(() -> answers.source().read(ByteBuffer.allocate(1)));
			file.write(ByteBuffer.allocate(4096));
			synced += took(() -> file.force(true));
		}
		System.out.println("sleep " + slept + "\nread " + read + "\nfsync " + synced);
		System.exit(0);
	}
}
