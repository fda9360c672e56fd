// Which library is loaded.
#ifndef FEAST_REMOTE_VERSION_HPP
#define FEAST_REMOTE_VERSION_HPP

#include <feast_remote/detail.hpp>

FEAST_REMOTE_BEGIN

// To compare with FEAST_VERSION_NUMBER, the header's.
inline std::uint32_t version_number() noexcept { return feast_version_number(); }

// With the versions of libcurl and the TLS library inside it.
inline std::string_view version_string() noexcept { return feast_version_string(); }

FEAST_REMOTE_END

#endif  // FEAST_REMOTE_VERSION_HPP
