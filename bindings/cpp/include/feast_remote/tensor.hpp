// DLPack. dlpack.h is needed only by programs that look into a tensor.
#ifndef FEAST_REMOTE_TENSOR_HPP
#define FEAST_REMOTE_TENSOR_HPP

#include <feast_remote/detail.hpp>

#include <cstring>

FEAST_REMOTE_BEGIN
namespace detail {

struct TensorDeleter {
  void operator()(DLManagedTensorVersioned *tensor) const noexcept {
    // What every version of DLPack from 1.0 on begins a tensor with.
    struct Head {
      std::uint32_t major, minor;
      void *manager_context;
      void (*deleter)(DLManagedTensorVersioned *);
    } head;
    std::memcpy(&head, tensor, sizeof head);
    if (head.deleter != nullptr) head.deleter(tensor);
  }
};

}  // namespace detail

// A tensor that is deleted in the end; release() hands it over to a framework.
using Tensor = std::unique_ptr<DLManagedTensorVersioned, detail::TensorDeleter>;

FEAST_REMOTE_END

#endif  // FEAST_REMOTE_TENSOR_HPP
