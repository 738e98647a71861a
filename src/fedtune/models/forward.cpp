// The forward pass on packed rows. Rows are tokens of sentences laid end to end; only attention sees the borders.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/relu.h>

#include "fedtune/models/classifier.h"
#include "fedtune/models/family.h"

namespace fedtune::models {
namespace {

// Where a mask is drawn: part of the stream's key, so numbers are never reused or changed.
enum HeadSite : std::uint32_t {
  at_embeddings = 0,
  at_head = 1,
  at_head_dense_adapter = 2,
  at_classifier_adapter = 3,
  at_head_input = 4
};
enum LayerSite : std::uint32_t {
  at_probabilities = 0,
  at_attention_output = 1,
  at_output = 2,
  at_query_adapter = 3,
  at_key_adapter = 4,
  at_value_adapter = 5,
  at_attention_output_adapter = 6,
  at_intermediate_adapter = 7,
  at_output_adapter = 8,
};
constexpr std::uint32_t sites_per_layer = 16;

std::uint32_t site_of(std::size_t layer, LayerSite site) {
  return static_cast<std::uint32_t>(layer + 1) * sites_per_layer + site;
}

// A matrix and which rows of the packed batch its rows are.
struct Rows {
  at::Tensor x;
  nn::RowIds ids;
};

class ForwardPass {
 public:
  ForwardPass(const SequenceClassifier& model, const Batch& batch, const ForwardOptions& options)
      : model_(model), batch_(batch), options_(options) {}

  ForwardResult run() {
    Rows rows = embed();  // [rows, hidden]
    bool pruned = false;
    for (std::size_t i = 0; i < model_.layers.size(); ++i) {
      pruned = options_.prune_last_layer && i + 1 == model_.layers.size();
      rows = encode(i, rows, pruned);
    }
    if (!pruned) rows = first_rows(rows);
    result_.logits = head(rows);  // [sentences, num_labels]
    return std::move(result_);
  }

 private:
  nn::Dropout dropout(double p, std::uint32_t site) const {
    if (!options_.training || p == 0.0) return {};
    StreamKey place = options_.place;
    place.site = site;
    return {.p = p, .key = philox_key(place)};
  }

  // Each sentence's [CLS]. [rows, hidden] -> [sentences, hidden]
  Rows first_rows(const Rows& rows) const { return {rows.x.index_select(0, batch_.first_rows), batch_.first_row_ids}; }

  Rows embed() const {
    const auto mask = dropout(model_.config.hidden_dropout, at_embeddings);
    return {nn::embedding_layer_norm(batch_.index, model_.embeddings.weight, mask), {}};
  }

  at::Tensor with_adapter(const nn::LinearWeight& weight, const Lora& lora, const Rows& rows,
                          std::uint32_t site) const {
    return nn::lora_linear(rows.x, weight, lora.weight, dropout(lora.dropout, site), rows.ids);
  }

  at::Tensor apply(const Linear& layer, const Rows& rows, std::uint32_t site) const {
    return layer.lora ? with_adapter(layer.weight, *layer.lora, rows, site) : nn::linear(rows.x, layer.weight);
  }

  // A product and the bias that is still to be added to it; undefined where the adapter's operation has added it.
  struct Unbiased {
    at::Tensor x;
    at::Tensor bias;
  };
  Unbiased apply_without_bias(const Linear& layer, const Rows& rows, std::uint32_t site) const {
    if (layer.lora) return {with_adapter(layer.weight, *layer.lora, rows, site), {}};
    return {nn::linear_no_bias(rows.x, layer.weight), layer.weight.bias};
  }

  at::Tensor attend(std::size_t index, const Rows& asking, const at::Tensor& all_rows) {
    const EncoderLayer& layer = model_.layers[index];
    const Rows all{all_rows, {}};
    const auto q = apply(layer.query, asking, site_of(index, at_query_adapter));
    const auto k = apply(layer.key, all, site_of(index, at_key_adapter));
    const auto v = apply(layer.value, all, site_of(index, at_value_adapter));
    const nn::AttentionShape shape{.offsets = batch_.offsets,
                                   .heads = model_.config.heads,
                                   .first_query_only = asking.ids.defined(),
                                   .probabilities = options_.probabilities};
    auto attention = nn::packed_attention(q, k, v, shape,
                                          dropout(model_.config.attention_dropout, site_of(index, at_probabilities)));
    if (options_.probabilities) result_.probabilities.push_back(attention.probabilities);
    return attention.context;
  }

  // One layer; pruned, only the first row of each sentence comes out, which is all that the head reads.
  Rows encode(std::size_t index, const Rows& input, bool pruned) {
    const EncoderLayer& layer = model_.layers[index];
    const Rows asking = pruned && !options_.probabilities ? first_rows(input) : input;
    Rows context{attend(index, asking, input.x), asking.ids};
    Rows residual = asking;
    if (pruned && options_.probabilities) {
      context = first_rows(context);
      residual = first_rows(input);
    }

    const auto projected =
        apply_without_bias(layer.attention_output, context, site_of(index, at_attention_output_adapter));
    const Rows attended{
        nn::dropout_residual_layer_norm(
            projected.x, projected.bias, residual.x, layer.attention_norm.weight,
            dropout(model_.config.attention_output_dropout, site_of(index, at_attention_output)), residual.ids),
        residual.ids};

    const auto widened = apply_without_bias(layer.intermediate, attended, site_of(index, at_intermediate_adapter));
    const Rows activated{nn::bias_gelu(widened.x, widened.bias), residual.ids};  // [rows, intermediate]
    const auto narrowed = apply_without_bias(layer.output, activated, site_of(index, at_output_adapter));
    return {
        nn::dropout_residual_layer_norm(narrowed.x, narrowed.bias, attended.x, layer.output_norm.weight,
                                        dropout(model_.config.hidden_dropout, site_of(index, at_output)), residual.ids),
        residual.ids};
  }

  // `x` [sentences, features], as dropout leaves it.
  Rows dropped(const Rows& rows, double p, HeadSite site) const {
    const auto mask = dropout(p, site);
    if (!mask.active()) return rows;
    const at::Tensor& x = rows.x;
    return {x * nn::dropout_mask(mask, rows.ids, x.size(0), x.size(1)).to(x.device()), rows.ids};
  }

  at::Tensor head(const Rows& first) const {
    const Rows read = dropped(first, model_.config.head_input_dropout, at_head_input);
    auto x = apply(model_.head_dense, read, at_head_dense_adapter);  // [sentences, hidden]
    x = model_.family->head_activation == HeadActivation::tanh ? nn::tanh(x) : at::relu(x);
    return apply(model_.classifier, dropped({x, first.ids}, model_.config.classifier_dropout, at_head),
                 at_classifier_adapter);
  }

  const SequenceClassifier& model_;
  const Batch& batch_;
  const ForwardOptions& options_;
  ForwardResult result_;
};

}  // namespace

ForwardResult SequenceClassifier::forward(const Batch& batch, const ForwardOptions& options) const {
  return ForwardPass(*this, batch, options).run();
}

}  // namespace fedtune::models
