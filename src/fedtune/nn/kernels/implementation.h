// One set of kernels: included once by each of avx512.cpp, avx2.cpp and portable.cpp.
#include "fedtune/nn/kernels/adamw.h"
#include "fedtune/nn/kernels/attention.h"
#include "fedtune/nn/kernels/elementwise.h"
#include "fedtune/nn/kernels/lora.h"
#include "fedtune/nn/kernels/matrix_product.h"
#include "fedtune/nn/kernels/norm.h"
#include "fedtune/nn/kernels/sets.h"

namespace fedtune::nn::kernels {

#define FEDTUNE_TEXT_OF(name) #name
#define FEDTUNE_TEXT(name) FEDTUNE_TEXT_OF(name)

constinit const Kernels FEDTUNE_KERNELS::set{
    .name = FEDTUNE_TEXT(FEDTUNE_KERNELS),
    .gelu = gelu,
    .norm = norm,
    .norm_backward = norm_backward,
    .norm_parameters = norm_parameters,
    .embedding = embedding,
    .embedding_backward = embedding_backward,
    .attention = attention,
    .attention_backward = attention_backward,
    .project = project,
    .expand = expand,
    .outer = outer,
    .products = {.multiply = matrix_product,
                 .panel_width = panel_width,
                 .packed_size = packed_size,
                 .pack = pack,
                 .scratch_size = scratch_size},
    .tanh = tanh,
    .tanh_backward = tanh_backward,
    .adamw = adamw,
    .is_zero = is_zero,
    .transpose = transpose,
    .multiply = multiply,
    .column_sum = column_sum,
    .mask = mask,
    .exp = exp,
};

}  // namespace fedtune::nn::kernels
