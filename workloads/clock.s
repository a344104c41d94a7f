// This file is empty but for this comment: its presence lets clock.go declare
// functions without bodies, which the linker finds in the runtime.
