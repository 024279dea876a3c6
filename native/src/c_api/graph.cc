// dn_graph_*: the border around graphs.
#include "graph/graph.h"

#include "c_api/guard.h"
#include "c_api/text.h"

using dynnet::Entered;
using dynnet::required;
using dynnet::c_api::guard;
using dynnet::c_api::hand_out;

namespace {

// A call into a graph with the expression's node.
template <class Body>
dn_status with_node(dn_graph* graph, dn_expr x, const char* what, Body&& body) {
  return guard([&] {
    const Entered entered(graph);
    body(graph->checked(x, what));
  });
}

template <class Body>
dn_status inside(dn_graph* graph, Body&& body) {
  return guard([&] {
    const Entered entered(graph);
    body();
  });
}

// Reads do not change the graph as its caller sees it, but one call at a time holds for them too.
dn_graph* writable(const dn_graph* graph) { return const_cast<dn_graph*>(graph); }

}  // namespace

dn_status dn_graph_create(uint64_t seed, dn_graph** out) {
  return guard([&] {
    required(out, "the result");
    *out = dynnet::Graph::create(seed);
  });
}

void dn_graph_free(dn_graph* graph) {
  if (graph != nullptr) dynnet::Graph::free(graph);
}

dn_status dn_graph_renew(dn_graph* graph) {
  return inside(graph, [&] { graph->renew(); });
}

dn_status dn_graph_checkpoint(dn_graph* graph) {
  return inside(graph, [&] { graph->checkpoint(); });
}

dn_status dn_graph_revert(dn_graph* graph) {
  return inside(graph, [&] { graph->revert(); });
}

dn_status dn_graph_nodes_count(const dn_graph* graph, int64_t* out) {
  return inside(writable(graph), [&] { required(out, "the result") = graph->size(); });
}

dn_status dn_graph_set_immediate(dn_graph* graph, int32_t on) {
  return inside(graph, [&] { graph->set_immediate(on != 0); });
}

dn_status dn_graph_set_check_values(dn_graph* graph, int32_t on) {
  return inside(graph, [&] { graph->set_check_values(on != 0); });
}

dn_status dn_graph_set_batching(dn_graph* graph, int32_t on) {
  return inside(graph, [&] { graph->set_batching(on != 0); });
}

dn_status dn_graph_dim(dn_graph* graph, dn_expr x, dn_dim* out) {
  return with_node(graph, x, "dim",
                   [&](uint32_t node) { required(out, "the result") = dynnet::to_c(graph->type_of(node).dim); });
}

dn_status dn_graph_forward(dn_graph* graph, dn_expr x) {
  return with_node(graph, x, "forward", [&](uint32_t node) { graph->forward(node); });
}

dn_status dn_graph_incremental_forward(dn_graph* graph, dn_expr x) {
  return with_node(graph, x, "incremental_forward", [&](uint32_t node) { graph->incremental_forward(node); });
}

dn_status dn_graph_invalidate(dn_graph* graph) {
  return inside(graph, [&] { graph->invalidate(); });
}

dn_status dn_graph_value(dn_graph* graph, dn_expr x, const float** out, int64_t* out_count) {
  return with_node(graph, x, "value", [&](uint32_t node) {
    required(out, "the result");
    required(out_count, "the result's count");
    *out = graph->value(node);
    *out_count = graph->type_of(node).size;
  });
}

dn_status dn_graph_scalar_value(dn_graph* graph, dn_expr x, float* out) {
  return with_node(graph, x, "scalar_value", [&](uint32_t node) {
    const dynnet::Type& type = graph->type_of(node);
    if (type.size != 1)
      dynnet::fail(DN_E_SHAPE, "scalar_value: the expression (node %u, %s) has shape %s", node, type.def->name,
                   type.dim.text().c_str());
    required(out, "the result");
    *out = *graph->value(node);
  });
}

dn_status dn_graph_backward(dn_graph* graph, dn_expr x, dn_gradients* gradients, int32_t full) {
  return with_node(graph, x, "backward", [&](uint32_t node) {
    graph->backward(node, gradients == nullptr ? nullptr : &gradients->set, full != 0);
  });
}

dn_status dn_graph_gradient(dn_graph* graph, dn_expr x, const float** out, int64_t* out_count) {
  return with_node(graph, x, "gradient", [&](uint32_t node) {
    required(out, "the result");
    required(out_count, "the result's count");
    *out = graph->gradient(node);
    *out_count = graph->type_of(node).size;
  });
}

dn_status dn_graph_check_gradients(dn_graph* graph, dn_expr x, dn_model* model, double step, double tolerance,
                                   int64_t most, dn_gradient_check* out, const char** report, int64_t* report_length) {
  return with_node(graph, x, "check_gradients", [&](uint32_t node) {
    required(out, "the result");
    *out = graph->check_gradients(node, required(model, "the model"), step, tolerance, most);
    if (report != nullptr) hand_out(graph->gradient_report(), report, report_length);
  });
}

dn_status dn_graph_top_k(dn_graph* graph, dn_expr x, int32_t dim, int32_t k, int32_t* indices, int64_t indices_count) {
  return with_node(graph, x, "top_k", [&](uint32_t node) {
    graph->top_k(node, dim, k, indices_count == 0 ? indices : &required(indices, "top_k: indices"), indices_count);
  });
}

dn_status dn_graph_sample(dn_graph* graph, dn_expr x, int32_t dim, int32_t draws, int32_t* indices,
                          int64_t indices_count) {
  return with_node(graph, x, "sample", [&](uint32_t node) {
    graph->sample(node, dim, draws, indices_count == 0 ? indices : &required(indices, "sample: indices"),
                  indices_count);
  });
}

dn_status dn_graph_graphviz(dn_graph* graph, const char** out, int64_t* out_length) {
  return inside(graph, [&] { hand_out(graph->graphviz(), out, out_length); });
}

dn_status dn_graph_set_input(dn_graph* graph, dn_expr x, const float* values, int64_t values_count) {
  return with_node(graph, x, "set_input", [&](uint32_t node) {
    graph->set_input(node, values_count == 0 ? values : &required(values, "set_input: values"), values_count);
  });
}

dn_status dn_graph_set_indices(dn_graph* graph, dn_expr x, const int32_t* indices, int32_t indices_count) {
  return with_node(graph, x, "set_indices", [&](uint32_t node) {
    graph->set_indices(node, indices_count == 0 ? indices : &required(indices, "set_indices: indices"), indices_count);
  });
}

dn_status dn_graph_batch_stats(const dn_graph* graph, dn_batch_stats* out) {
  return inside(writable(graph), [&] { required(out, "the result") = graph->batch_stats(); });
}

dn_status dn_graph_batching_report(dn_graph* graph, const char** out, int64_t* out_length) {
  return inside(graph, [&] { hand_out(graph->batching_report(), out, out_length); });
}

dn_status dn_graph_set_profiling(dn_graph* graph, int32_t on) {
  return inside(graph, [&] { graph->set_profiling(on != 0); });
}

dn_status dn_graph_profile(dn_graph* graph, const char** out, int64_t* out_length) {
  return inside(graph, [&] { hand_out(graph->profile().text(), out, out_length); });
}

dn_status dn_graph_profile_trace(dn_graph* graph, const char** out, int64_t* out_length) {
  return inside(graph, [&] { hand_out(graph->profile().trace(), out, out_length); });
}
