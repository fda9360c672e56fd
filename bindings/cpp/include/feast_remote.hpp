// libfeast_remote for C++17 and newer: the C interface with objects that free themselves. Header-only; it has no symbols
// of its own in the library. What each function does, its units and its thread safety stand in feast_remote.h; here is
// only what is different.
//
//   feast::Remote remote(feast::Config().set("path", "http://localhost:6566"));
//   feast::Request request;
//   request.add_feature("driver_hourly_stats:avg_daily_trips").set_entity("driver_id", {1001, 1002});
//   feast::Response response = remote.get_online_features(request);
//   for (std::int64_t trips : response.int64("avg_daily_trips")) std::cout << trips << '\n';
//
// Ownership: every object is movable and not copyable (Request has clone()), and frees what it holds. A view is valid
// while its Response lives, and cannot be had from one that is about to go. Errors: see feast_remote/error.hpp.
#ifndef FEAST_REMOTE_HPP
#define FEAST_REMOTE_HPP

#include <feast_remote/arrow.hpp>
#include <feast_remote/config.hpp>
#include <feast_remote/coroutine.hpp>
#include <feast_remote/error.hpp>
#include <feast_remote/frame.hpp>
#include <feast_remote/futures.hpp>
#include <feast_remote/log.hpp>
#include <feast_remote/queue.hpp>
#include <feast_remote/remote.hpp>
#include <feast_remote/request.hpp>
#include <feast_remote/response.hpp>
#include <feast_remote/search.hpp>
#include <feast_remote/statistics.hpp>
#include <feast_remote/tensor.hpp>
#include <feast_remote/version.hpp>
#include <feast_remote/view.hpp>
#include <feast_remote/write.hpp>

#endif  // FEAST_REMOTE_HPP
