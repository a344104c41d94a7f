// This file has no code. It is here so that the compiler accepts the functions without
// bodies in clock.go, which the linker finds in the runtime.
