// A program in C over the shared library: learns XOR, and tells by which instruction set. It shows that the header is
// C, that the library is enough to run by itself, and (under an emulator) which processors it runs on.

#include <stdio.h>
#include <stdlib.h>

#include "dynnet/dynnet.h"

#define COUNT(array) ((int32_t)(sizeof(array) / sizeof(array)[0]))

static void Check(dn_status status, const char* call) {
  if (status == DN_OK) return;
  printf("%s: status %d: %s\n", call, (int)status, dn_last_error(NULL));
  exit(1);
}
#define CHECK(call) Check(call, #call)

int main(void) {
  const dn_dim w_dim = {{8, 2}, 2, 1}, b_dim = {{8}, 1, 1}, v_dim = {{1, 8}, 2, 1}, x_dim = {{2}, 1, 1},
               y_dim = {{1}, 1, 1};
  const dn_initializer glorot = {DN_INIT_GLOROT, 0, 1, 0, NULL, 0, NULL, 0};
  dn_model* model;
  dn_parameter *w, *b, *v;
  dn_trainer* trainer;
  dn_graph* graph;
  CHECK(dn_model_create(1, &model));
  CHECK(dn_model_add_parameters(model, &w_dim, &glorot, "W", 1, &w));
  CHECK(dn_model_add_parameters(model, &b_dim, &glorot, "b", 1, &b));
  CHECK(dn_model_add_parameters(model, &v_dim, &glorot, "V", 1, &v));
  CHECK(dn_trainer_create_simple_sgd(model, 0.1, &trainer));
  CHECK(dn_graph_create(1, &graph));

  float first = 0, total = 0;
  for (int epoch = 0; epoch < 300; ++epoch) {
    total = 0;
    for (int corner = 0; corner < 4; ++corner) {
      const float x[2] = {corner & 1 ? 1 : -1, corner & 2 ? 1 : -1}, y[1] = {-x[0] * x[1]};
      dn_expr affine[3], hidden, matrix, output, target, loss;
      float value;
      CHECK(dn_graph_renew(graph));
      CHECK(dn_op_parameter(graph, b, &affine[0]));
      CHECK(dn_op_parameter(graph, w, &affine[1]));
      CHECK(dn_op_input(graph, &x_dim, x, COUNT(x), &affine[2]));
      CHECK(dn_op_affine_transform(graph, affine, COUNT(affine), &hidden));
      CHECK(dn_op_tanh(graph, hidden, &hidden));
      CHECK(dn_op_parameter(graph, v, &matrix));
      CHECK(dn_op_multiply(graph, matrix, hidden, &output));
      CHECK(dn_op_input(graph, &y_dim, y, COUNT(y), &target));
      CHECK(dn_op_squared_distance(graph, output, target, &loss));
      CHECK(dn_graph_scalar_value(graph, loss, &value));
      CHECK(dn_graph_backward(graph, loss, NULL, 0));
      CHECK(dn_trainer_update(trainer));
      total += value;
    }
    if (epoch == 0) first = total;
  }
  printf("instruction set %s\nloss %g, then %g\n", dn_device_isa(NULL), first, total);

  dn_graph_free(graph);
  dn_trainer_free(trainer);
  dn_model_free(model);
  return total < 0.1f ? 0 : 1;
}
