// A stack of LSTM layers: parameters, and steps recorded into a graph. The builder keeps nothing of any graph, so
// threads may share it and states may branch.
#ifndef DYNNET_BUILDERS_LSTM_H_
#define DYNNET_BUILDERS_LSTM_H_

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "nn/model.h"

/// A state is c of each layer, h of each layer and, where dropout is on, the masks of each layer's input and of each
/// layer's h. Masks are drawn with a sequence's first input, since only that tells the batch. Until then the first of
/// them is an input of the two rates that hold for the sequence, and the others, as all where a rate is 0, are no
/// expression.
struct dn_lstm {
 public:
  dn_lstm(const dn_model& model, int32_t layers, uint32_t input, uint32_t hidden);

  void set_dropout(double input_rate, double hidden_rate);
  int32_t state_size() const;
  void initial_state(dynnet::Graph& graph, const dn_expr* values, int32_t values_count, dn_expr* state,
                     int32_t state_count) const;
  void add_input(dynnet::Graph& graph, const dn_expr* state, int32_t state_count, dn_expr x, dn_expr* next,
                 int32_t next_count) const;

 private:
  struct Layer {
    dn_parameter* wx;
    dn_parameter* wh;
    dn_parameter* b;
    uint32_t input;
  };

  int32_t layers() const { return static_cast<int32_t>(layers_.size()); }
  void add_layer(uint32_t input);
  void check_vector(dynnet::Graph& graph, dn_expr x, uint32_t size, const char* what) const;
  /// Draws the masks of a sequence that has had no input yet.
  void draw_masks(dynnet::Graph& graph, uint32_t batch, dn_expr* masks) const;
  void step(dynnet::Graph& graph, const Layer& layer, dn_expr x, dn_expr h, dn_expr* c, dn_expr* next_h) const;

  dynnet::StorageRef storage_;
  /// Of the builder's sub-collection.
  std::string path_;
  uint32_t hidden_;
  std::vector<Layer> layers_;
  float input_rate_ = 0;
  float hidden_rate_ = 0;
};

#endif  // DYNNET_BUILDERS_LSTM_H_
