// Prints features of three drivers, and of them again from many calls at once:
//   minimal http://localhost:6566
#include <feast_remote.hpp>

#include <cstdio>
#include <vector>

static int run(const char *url) {
  feast::Remote remote(feast::Config().set("path", url));
  feast::Request request;
  request.add_feature("driver_hourly_stats:conv_rate")
      .add_feature("driver_hourly_stats:avg_daily_trips")
      .set_entity("driver_id", {1001, 1002, 9999});
  const feast::Response response = remote.get_online_features(request);
  const auto drivers = response.int64("driver_id"), trips = response.int64("avg_daily_trips");
  const auto rates = response.float64("conv_rate");
  const auto statuses = response.statuses("avg_daily_trips");
  for (std::size_t row = 0; row < response.rows(); row++) {
    if (statuses[row] == FEAST_FIELD_STATUS_NOT_FOUND)
      std::printf("%lld is not known\n", static_cast<long long>(drivers[row]));
    else
      std::printf("%lld %.17g %lld\n", static_cast<long long>(drivers[row]), rates[row], static_cast<long long>(trips[row]));
  }

  feast::Futures futures;
  std::vector<std::future<feast::Response>> calls;
  for (int i = 0; i < 20; i++) calls.push_back(futures.get_online_features(remote, request));
  std::size_t rows = 0;
  for (auto &call : calls) rows += call.get().rows();
  std::printf("%zu rows from %zu calls at once\n", rows, calls.size());

  feast::Error error; // reported here in place of an exception
  feast::Request unknown;
  unknown.add_feature("no_such_view:feature").set_entity("driver_id", {1001});
  remote.get_online_features(unknown, &error);
  std::printf("%s %s\n", error.status_name(), error.feast_class().c_str());
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s URL\n", argv[0]);
    return 2;
  }
  try {
    return run(argv[1]);
  } catch (const feast::Error &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
