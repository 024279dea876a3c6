// The table of one instruction set.

#include "cpu/isa/rows.h"

namespace dynnet::cpu::DYNNET_ISA {

#define DYNNET_TEXT_OF(x) #x
#define DYNNET_TEXT(x) DYNNET_TEXT_OF(x)

void fill(Kernels* table) {
  table->name = DYNNET_TEXT(DYNNET_ISA);
  fill_elementwise(table);
  fill_binary(table);
  fill_move(table);
  fill_product(table);
  fill_product_transposed(table);
  fill_outer(table);
  fill_pack(table);
  fill_reduce(table);
  fill_softmax(table);
  fill_loss(table);
  fill_lstm(table);
  fill_tree_lstm(table);
  fill_random(table);
  fill_train(table);
}

}  // namespace dynnet::cpu::DYNNET_ISA
