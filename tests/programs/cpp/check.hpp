// For the programs that test the C++ headers.
#ifndef CHECK_HPP
#define CHECK_HPP

#include <feast_remote.hpp>

#include <cstdio>
#include <cstdlib>

#define CHECK(condition)                                                     \
  do {                                                                       \
    if (!(condition)) {                                                      \
      std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);   \
      std::exit(1);                                                          \
    }                                                                        \
  } while (0)

#if FEAST_REMOTE_EXCEPTIONS
template <typename Call>
static feast::Error thrown(Call &&call) {
  try {
    call();
  } catch (const feast::Error &error) {
    return error;
  }
  std::fprintf(stderr, "no exception came\n");
  std::exit(1);
}
#endif

#endif  // CHECK_HPP
