// A shared library with one function.
__attribute__((noinline)) int in_library(int n) { return n + 11; }
