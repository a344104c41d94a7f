// A shared library with one function.
__attribute__((noinline)) int in_library(int n) { return n + 11; }

// One that calls what it is given.
__attribute__((noinline)) int library_calls(int (*f)(int), int n) { return f(n) + 1; }
