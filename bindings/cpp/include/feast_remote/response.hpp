// An answer: columns, matrices, and what is known of the call.
#ifndef FEAST_REMOTE_RESPONSE_HPP
#define FEAST_REMOTE_RESPONSE_HPP

#include <feast_remote/arrow.hpp>
#include <feast_remote/tensor.hpp>
#include <feast_remote/view.hpp>

FEAST_REMOTE_BEGIN

// A moment, in nanoseconds since 1970-01-01 UTC.
using Time = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

// A feature view that an answer has values of, and which version of it; 0 if it has none.
struct FeatureViewVersion {
  std::string name;
  std::int64_t version = 0;
};

// An answer. Columns asked for by name have the type that is asked for, or it is an error: a column without any value
// has every type, and numbers are converted exactly. By its number a column gives an empty view if it has another type.
// Any thread may read it. What borrows from it cannot be asked of one that is about to go: keep it in a variable.
class Response {
 public:
  // Empty, as after a call that failed.
  Response() = default;
  explicit Response(feast_response_t *response) : response_(response) {}
  explicit operator bool() const noexcept { return response_ != nullptr; }
  const feast_response_t *get() const noexcept { return response_.get(); }

  std::size_t rows() const noexcept { return feast_response_num_rows(get()); }
  std::size_t columns() const noexcept { return feast_response_num_columns(get()); }
  // The first columns.
  std::size_t entities() const noexcept { return feast_response_num_entities(get()); }
  // Calls that the request asked for, this one among them (merge_max_rows).
  std::size_t calls_in_request() const noexcept { return feast_response_calls_in_request(get()); }
  // That gave this answer; nullptr without one.
  const char *server() const & noexcept { return feast_response_server(get()); }
  const char *name(std::size_t column) const & noexcept { return feast_response_column_name(get(), column); }
  feast_type_t type(std::size_t column) const noexcept { return feast_response_column_type(get(), column); }
  std::optional<std::size_t> find(const detail::Text &name) const noexcept {
    const std::size_t column = name.is_usable() ? feast_response_find_column(get(), name.c_str()) : SIZE_MAX;
    return column == SIZE_MAX ? std::nullopt : std::optional<std::size_t>(column);
  }
  // Where the time of the call went; see feast_timing_t. Of a response that is about to go without the server.
  feast_timing_t timing() const & noexcept {
    feast_timing_t timing{};
    timing.size = sizeof timing;
    feast_response_timing(get(), &timing);
    return timing;
  }
  feast_timing_t timing() const && noexcept {
    feast_timing_t timing = static_cast<const Response &>(*this).timing();
    timing.server = nullptr;
    return timing;
  }

  // Those that the server named, if the request asked for them (set_include_feature_view_version_metadata()).
  std::vector<FeatureViewVersion> feature_views() const {
    std::vector<FeatureViewVersion> views;
    for (std::size_t i = 0; i < feast_response_num_feature_views(get()); i++)
      views.push_back({feast_response_feature_view_name(get(), i), feast_response_feature_view_version(get(), i)});
    return views;
  }

  // By number. Timestamps (FEAST_TYPE_UNIX_TIMESTAMP) are int64: seconds since 1970-01-01 UTC.
  View<std::int64_t> int64(std::size_t column) const & noexcept { return {feast_response_column_int64(get(), column), rows()}; }
  View<std::int32_t> int32(std::size_t column) const & noexcept { return {feast_response_column_int32(get(), column), rows()}; }
  View<double> float64(std::size_t column) const & noexcept { return {feast_response_column_double(get(), column), rows()}; }
  View<float> float32(std::size_t column) const & noexcept { return {feast_response_column_float(get(), column), rows()}; }
  View<std::uint8_t> boolean(std::size_t column) const & noexcept { return {feast_response_column_bool(get(), column), rows()}; }
  // By name.
  View<std::int64_t> int64(const detail::Text &name, Error *error = nullptr) const & {
    return values<std::int64_t>(feast_response_get_int64, name, error);
  }
  View<std::int32_t> int32(const detail::Text &name, Error *error = nullptr) const & {
    return values<std::int32_t>(feast_response_get_int32, name, error);
  }
  View<double> float64(const detail::Text &name, Error *error = nullptr) const & {
    return values<double>(feast_response_get_double, name, error);
  }
  View<float> float32(const detail::Text &name, Error *error = nullptr) const & {
    return values<float>(feast_response_get_float, name, error);
  }
  View<std::uint8_t> boolean(const detail::Text &name, Error *error = nullptr) const & {
    return values<std::uint8_t>(feast_response_get_bool, name, error);
  }

  // STRING, BYTES or JSON; an error for another type, by number too.
  Texts texts(std::size_t column, Error *error = nullptr) const & {
    const std::int64_t *offsets = nullptr;
    const char *data = nullptr;
    detail::call(error, [&](feast_error_t **e) { return feast_response_column_string(get(), column, &offsets, &data, e); });
    return {offsets, data, rows()};
  }
  Texts texts(const detail::Text &name, Error *error = nullptr) const & {
    const std::int64_t *offsets = nullptr;
    const char *data = nullptr;
    const auto got = [&](feast_error_t **e) { return feast_response_get_string(get(), name.c_str(), &offsets, &data, nullptr, e); };
    detail::call(error, got, name);
    return {offsets, data, rows()};
  }
  // One row of these; beyond the last row it is an error, and empty if that is reported.
  std::string_view text(std::size_t column, std::size_t row, Error *error = nullptr) const & {
    return cell(texts(column, error), row, error);
  }
  std::string_view text(const detail::Text &name, std::size_t row, Error *error = nullptr) const & {
    return cell(texts(name, error), row, error);
  }

  // Lists. By number without an item for a column of another type.
  Lists<std::int64_t> int64_lists(std::size_t column) const & {
    return lists<std::int64_t>(column, {FEAST_TYPE_INT64_LIST, FEAST_TYPE_UNIX_TIMESTAMP_LIST});
  }
  Lists<std::int32_t> int32_lists(std::size_t column) const & { return lists<std::int32_t>(column, {FEAST_TYPE_INT32_LIST}); }
  Lists<double> float64_lists(std::size_t column) const & { return lists<double>(column, {FEAST_TYPE_DOUBLE_LIST}); }
  Lists<float> float32_lists(std::size_t column) const & { return lists<float>(column, {FEAST_TYPE_FLOAT_LIST}); }
  Lists<std::uint8_t> boolean_lists(std::size_t column) const & { return lists<std::uint8_t>(column, {FEAST_TYPE_BOOL_LIST}); }
  TextLists text_lists(std::size_t column) const & {
    const auto items = lists<std::int64_t>(column, {FEAST_TYPE_STRING_LIST, FEAST_TYPE_BYTES_LIST});
    return text_lists(items.offsets(), items.items().data(), feast_response_column_list_data(get(), column),
                      items.item_validity().bits());
  }
  Lists<std::int64_t> int64_lists(const detail::Text &name, Error *error = nullptr) const & {
    return lists<std::int64_t>(feast_response_get_int64_list, name, error);
  }
  Lists<std::int32_t> int32_lists(const detail::Text &name, Error *error = nullptr) const & {
    return lists<std::int32_t>(feast_response_get_int32_list, name, error);
  }
  Lists<double> float64_lists(const detail::Text &name, Error *error = nullptr) const & {
    return lists<double>(feast_response_get_double_list, name, error);
  }
  Lists<float> float32_lists(const detail::Text &name, Error *error = nullptr) const & {
    return lists<float>(feast_response_get_float_list, name, error);
  }
  Lists<std::uint8_t> boolean_lists(const detail::Text &name, Error *error = nullptr) const & {
    return lists<std::uint8_t>(feast_response_get_bool_list, name, error);
  }
  TextLists text_lists(const detail::Text &name, Error *error = nullptr) const & {
    const std::int64_t *offsets = nullptr, *ends = nullptr;
    const char *data = nullptr;
    const auto got = [&](feast_error_t **e) {
      return feast_response_get_string_list(get(), name.c_str(), &offsets, &ends, &data, nullptr, e);
    };
    if (!detail::call(error, got, name)) return {};
    return text_lists(offsets, ends, data, item_bits(name));
  }

  // Which rows of a column have a value; none of a column that there is not.
  Validity validity(std::size_t column) const & noexcept {
    const bool exists = feast_response_column_name(get(), column) != nullptr;
    return {feast_response_column_validity(get(), column), exists ? rows() : 0};
  }
  Validity validity(const detail::Text &name, Error *error = nullptr) const & {
    const auto column = place(name, error);
    return column ? validity(*column) : Validity();
  }
  // Whether one row has a value; false beyond the last one.
  bool is_valid(std::size_t column, std::size_t row) const noexcept { return validity(column)[row]; }
  bool is_valid(const detail::Text &name, std::size_t row, Error *error = nullptr) const { return validity(name, error)[row]; }

  // Feast's field status of each row: FEAST_FIELD_STATUS_ numbers.
  View<std::uint8_t> statuses(std::size_t column) const & noexcept {
    return {feast_response_column_statuses(get(), column), rows()};
  }
  View<std::uint8_t> statuses(const detail::Text &name, Error *error = nullptr) const & {
    const auto column = place(name, error);
    return column ? statuses(*column) : View<std::uint8_t>();
  }
  // Empty if the server sent none; 0 for rows that were not found.
  View<std::int64_t> event_timestamps_ns(std::size_t column) const & noexcept {
    return {feast_response_column_event_timestamps_ns(get(), column), rows()};
  }
  View<std::int64_t> event_timestamps_ns(const detail::Text &name, Error *error = nullptr) const & {
    const auto column = place(name, error);
    return column ? event_timestamps_ns(*column) : View<std::int64_t>();
  }
  // The event timestamp of one row, if it has one.
  std::optional<Time> event_time(std::size_t column, std::size_t row) const noexcept {
    const View<std::int64_t> times = event_timestamps_ns(column);
    if (row >= times.size() || times[row] == 0) return std::nullopt;
    return Time(std::chrono::nanoseconds(times[row]));
  }
  std::optional<Time> event_time(const detail::Text &name, std::size_t row, Error *error = nullptr) const {
    const auto column = place(name, error);
    return column ? event_time(*column, row) : std::nullopt;
  }

  // All features, or the columns of these names, as a row-major matrix: row i of column j is out[i * row_stride + j].
  // `missing` stands where there is no value; `statuses`, if not nullptr, gets a field status for each number. False if
  // `error` was reported.
  bool copy_f32(float *out, std::size_t row_stride, float missing, std::uint8_t *statuses = nullptr, Error *error = nullptr) const {
    return copy(feast_response_copy_f32, nullptr, out, row_stride, missing, statuses, error);
  }
  bool copy_f64(double *out, std::size_t row_stride, double missing, std::uint8_t *statuses = nullptr,
                Error *error = nullptr) const {
    return copy(feast_response_copy_f64, nullptr, out, row_stride, missing, statuses, error);
  }
  bool copy_i64(std::int64_t *out, std::size_t row_stride, std::int64_t missing, std::uint8_t *statuses = nullptr,
                Error *error = nullptr) const {
    return copy(feast_response_copy_i64, nullptr, out, row_stride, missing, statuses, error);
  }
  bool copy_f32(const std::vector<std::string> &names, float *out, std::size_t row_stride, float missing,
                std::uint8_t *statuses = nullptr, Error *error = nullptr) const {
    return copy(feast_response_copy_f32, &names, out, row_stride, missing, statuses, error);
  }
  bool copy_f64(const std::vector<std::string> &names, double *out, std::size_t row_stride, double missing,
                std::uint8_t *statuses = nullptr, Error *error = nullptr) const {
    return copy(feast_response_copy_f64, &names, out, row_stride, missing, statuses, error);
  }
  bool copy_i64(const std::vector<std::string> &names, std::int64_t *out, std::size_t row_stride, std::int64_t missing,
                std::uint8_t *statuses = nullptr, Error *error = nullptr) const {
    return copy(feast_response_copy_i64, &names, out, row_stride, missing, statuses, error);
  }
  // Into a vector, array or span, which must be large enough: that is checked.
  template <typename Out, typename = std::enable_if_t<detail::is_room_for<Out, float>>>
  bool copy_f32(Out &&out, std::size_t row_stride, float missing, std::uint8_t *statuses = nullptr, Error *error = nullptr) const {
    return fits(std::size(out), row_stride, error) && copy_f32(std::data(out), row_stride, missing, statuses, error);
  }
  template <typename Out, typename = std::enable_if_t<detail::is_room_for<Out, double>>>
  bool copy_f64(Out &&out, std::size_t row_stride, double missing, std::uint8_t *statuses = nullptr, Error *error = nullptr) const {
    return fits(std::size(out), row_stride, error) && copy_f64(std::data(out), row_stride, missing, statuses, error);
  }
  template <typename Out, typename = std::enable_if_t<detail::is_room_for<Out, std::int64_t>>>
  bool copy_i64(Out &&out, std::size_t row_stride, std::int64_t missing, std::uint8_t *statuses = nullptr,
                Error *error = nullptr) const {
    return fits(std::size(out), row_stride, error) && copy_i64(std::data(out), row_stride, missing, statuses, error);
  }
  // Columns of such a matrix; 0 if there can be none.
  std::size_t matrix_width() const noexcept { return feast_response_matrix_width(get(), nullptr, 0); }
  std::size_t matrix_width(const std::vector<std::string> &names) const {
    const Names pointers(&names);
    return feast_response_matrix_width(get(), pointers.data(), pointers.size());
  }
  // The same matrix as a DLPack tensor of its own.
  Tensor to_dlpack(float missing, Error *error = nullptr) const { return tensor(nullptr, missing, error); }
  Tensor to_dlpack(const std::vector<std::string> &names, float missing, Error *error = nullptr) const {
    return tensor(&names, missing, error);
  }
  // The whole answer as a JSON object of arrays, by the columns' names; see feast_response_to_json().
  std::string to_json(Error *error = nullptr) const {
    char *json = nullptr;
    std::size_t size = 0;
    detail::call(error, [&](feast_error_t **e) { return feast_response_to_json(get(), &json, &size, e); });
    return detail::taken(json, size);
  }

  // All columns for Arrow, without a copy of the values.
  RecordBatch export_arrow(Error *error = nullptr) const { return exported(feast_response_export_arrow, error); }
  // Statuses and event timestamps with them: NAME__status, NAME__ts.
  RecordBatch export_arrow_full(Error *error = nullptr) const { return exported(feast_response_export_arrow_full, error); }

  // Nothing is borrowed from a response that is about to go.
  template <typename... A> void server(A &&...) const && = delete;
  template <typename... A> void name(A &&...) const && = delete;
  template <typename... A> void int64(A &&...) const && = delete;
  template <typename... A> void int32(A &&...) const && = delete;
  template <typename... A> void float64(A &&...) const && = delete;
  template <typename... A> void float32(A &&...) const && = delete;
  template <typename... A> void boolean(A &&...) const && = delete;
  template <typename... A> void texts(A &&...) const && = delete;
  template <typename... A> void text(A &&...) const && = delete;
  template <typename... A> void int64_lists(A &&...) const && = delete;
  template <typename... A> void int32_lists(A &&...) const && = delete;
  template <typename... A> void float64_lists(A &&...) const && = delete;
  template <typename... A> void float32_lists(A &&...) const && = delete;
  template <typename... A> void boolean_lists(A &&...) const && = delete;
  template <typename... A> void text_lists(A &&...) const && = delete;
  template <typename... A> void validity(A &&...) const && = delete;
  template <typename... A> void statuses(A &&...) const && = delete;
  template <typename... A> void event_timestamps_ns(A &&...) const && = delete;

 private:
  // Names as C takes them; nullptr for all features.
  class Names {
   public:
    explicit Names(const std::vector<std::string> *names) : all_(names == nullptr) {
      if (all_) return;
      for (const std::string &name : *names) {
        pointers_.push_back(name.c_str());
        usable_ = usable_ && name.find('\0') == std::string::npos;
      }
      pointers_.push_back(nullptr);  // so that no names at all are not all features
    }
    const char *const *data() const noexcept { return all_ ? nullptr : pointers_.data(); }
    std::size_t size() const noexcept { return all_ ? 0 : pointers_.size() - 1; }
    bool is_usable() const noexcept { return usable_; }
    Error why() const { return Error(FEAST_INVALID_ARGUMENT, "a name has a NUL in it"); }

   private:
    bool all_, usable_ = true;
    std::vector<const char *> pointers_;
  };

  static std::string_view cell(const Texts &texts, std::size_t row, Error *error) {
    return error != nullptr && *error ? std::string_view() : texts.at(row, error);
  }
  std::optional<std::size_t> place(const detail::Text &name, Error *error) const {
    const auto column = find(name);
    if (column)
      detail::forget(error);
    else
      detail::refuse(error, Error(FEAST_INVALID_ARGUMENT, "no column `" + std::string(name.c_str() ? name.c_str() : "") + "`"));
    return column;
  }
  template <typename T, typename Get>
  View<T> values(Get getter, const detail::Text &name, Error *error) const {
    const T *values = nullptr;
    detail::call(error, [&](feast_error_t **e) { return getter(get(), name.c_str(), &values, nullptr, e); }, name);
    return {values, rows()};
  }
  const std::uint8_t *item_bits(const detail::Text &name) const noexcept {
    return feast_response_column_list_validity(get(), feast_response_find_column(get(), name.c_str()));
  }
  template <typename T, typename Get>
  Lists<T> lists(Get getter, const detail::Text &name, Error *error) const {
    const std::int64_t *offsets = nullptr;
    const T *items = nullptr;
    const auto got = [&](feast_error_t **e) { return getter(get(), name.c_str(), &offsets, &items, nullptr, e); };
    if (!detail::call(error, got, name)) return {};
    return lists(offsets, items, item_bits(name));
  }
  template <typename T>
  Lists<T> lists(std::size_t column, std::initializer_list<feast_type_t> types) const {
    for (const feast_type_t wanted : types) {
      if (type(column) != wanted) continue;
      const std::int64_t *offsets = nullptr;
      const void *items = nullptr;
      if (feast_response_column_list(get(), column, &offsets, &items, nullptr) != FEAST_OK) break;
      return lists(offsets, static_cast<const T *>(items), feast_response_column_list_validity(get(), column));
    }
    return {};
  }
  template <typename T>
  Lists<T> lists(const std::int64_t *offsets, const T *items, const std::uint8_t *bits) const {
    const std::size_t count = offsets == nullptr ? 0 : static_cast<std::size_t>(offsets[rows()]);
    return {offsets, View<T>(items, count), bits, rows()};
  }
  TextLists text_lists(const std::int64_t *offsets, const std::int64_t *ends, const char *data, const std::uint8_t *bits) const {
    const std::size_t count = offsets == nullptr ? 0 : static_cast<std::size_t>(offsets[rows()]);
    return {offsets, Texts(ends, data, count), bits, rows()};
  }
  bool fits(std::size_t room, std::size_t row_stride, Error *error) const {
    const std::size_t needed = rows() == 0 ? 0 : (rows() - 1) * row_stride + matrix_width();
    if (room >= needed) return true;
    return detail::refuse(error, Error(FEAST_INVALID_ARGUMENT, "there is room for " + std::to_string(room) + " numbers, and " +
                                                                   std::to_string(needed) + " are needed"));
  }
  template <typename Copy, typename T>
  bool copy(Copy copier, const std::vector<std::string> *names, T *out, std::size_t row_stride, T missing, std::uint8_t *statuses,
            Error *error) const {
    const Names pointers(names);
    const auto copied = [&](feast_error_t **e) {
      return copier(get(), pointers.data(), pointers.size(), out, row_stride, missing, statuses, e);
    };
    return detail::call(error, copied, pointers);
  }
  Tensor tensor(const std::vector<std::string> *names, float missing, Error *error) const {
    const Names pointers(names);
    DLManagedTensorVersioned *tensor = nullptr;
    const auto made = [&](feast_error_t **e) {
      return feast_response_to_dlpack(get(), pointers.data(), pointers.size(), missing, &tensor, e);
    };
    detail::call(error, made, pointers);
    return Tensor(tensor);
  }
  template <typename Export>
  RecordBatch exported(Export exporter, Error *error) const {
    RecordBatch batch;
    detail::call(error, [&](feast_error_t **e) { return exporter(get(), &batch.array, &batch.schema, e); });
    return batch;
  }

  detail::Owned<feast_response_t, feast_response_free> response_;
};

FEAST_REMOTE_END

#endif  // FEAST_REMOTE_RESPONSE_HPP
