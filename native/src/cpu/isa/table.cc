// The table of one instruction set.

#include "cpu/isa/rows.h"

namespace dynnet::cpu::DYNNET_ISA {

#define DYNNET_TEXT_OF(x) #x
#define DYNNET_TEXT(x) DYNNET_TEXT_OF(x)

void fill(Kernels* table) {
  table->name = DYNNET_TEXT(DYNNET_ISA);
  fill_elementwise(table);
  fill_binary(table);
  fill_many(table);
  fill_move(table);
  fill_product(table);
  fill_product_transposed(table);
  fill_outer(table);
  fill_pack(table);
  fill_reduce(table);
  fill_moment(table);
  fill_extreme(table);
  fill_cumulative(table);
  fill_norm(table);
  fill_distance(table);
  fill_softmax(table);
  fill_loss(table);
  fill_sparsemax(table);
  fill_lu(table);
  fill_circular(table);
  fill_lstm(table);
  fill_tree_lstm(table);
  fill_convolution(table);
  fill_pooling(table);
  fill_attention(table);
  fill_random(table);
  fill_train(table);
}

}  // namespace dynnet::cpu::DYNNET_ISA
