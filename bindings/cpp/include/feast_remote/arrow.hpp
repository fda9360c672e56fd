// Arrow's C data interface.
#ifndef FEAST_REMOTE_ARROW_HPP
#define FEAST_REMOTE_ARROW_HPP

#include <feast_remote/detail.hpp>

FEAST_REMOTE_BEGIN

// A record batch that is released in the end, unless an importer, such as arrow::ImportRecordBatch(&batch.array, &batch.schema),
// takes it over. It stands on its own: the response may be gone.
class RecordBatch {
 public:
  RecordBatch() = default;
  RecordBatch(RecordBatch &&other) noexcept : array(other.array), schema(other.schema) { other.leave(); }
  RecordBatch &operator=(RecordBatch &&other) noexcept {
    if (this != &other) {
      release();
      array = other.array;
      schema = other.schema;
      other.leave();
    }
    return *this;
  }
  ~RecordBatch() { release(); }
  // Whether there is one.
  explicit operator bool() const noexcept { return array.release != nullptr; }

  ArrowArray array{};
  ArrowSchema schema{};

 private:
  void leave() noexcept {
    array.release = nullptr;
    schema.release = nullptr;
  }
  void release() noexcept {
    if (array.release != nullptr) array.release(&array);
    if (schema.release != nullptr) schema.release(&schema);
  }
};

FEAST_REMOTE_END

#endif  // FEAST_REMOTE_ARROW_HPP
