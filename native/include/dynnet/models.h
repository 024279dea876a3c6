// Models, their parameters, and gradients.
#ifndef DYNNET_DYNNET_MODELS_H_
#define DYNNET_DYNNET_MODELS_H_

#include "dynnet/types.h"

#ifdef __cplusplus
extern "C" {
#endif

// ---- models ----

/// Makes an empty model.
/// @param seed keys all initial values: one seed gives one model
DN_API dn_status dn_model_create(uint64_t seed, dn_model** out);

/// Gives back a reference to a model or sub-collection. The parameters live as long as anything refers to the model.
DN_API void dn_model_free(dn_model* model);

/// Makes a sub-collection: a model whose parameters belong to the parent, under the parent's path and the given name. A
/// name already in use gets _1, _2 and so on appended; an empty name becomes _0, _1 and so on, as in DyNet.
/// @param name no '/' and no whitespace in it
/// @param out a new reference, given back with dn_model_free
DN_API dn_status dn_model_add_subcollection(dn_model* model, const char* name, int64_t name_length, dn_model** out);

/// The number of sub-collections below the model, those of sub-collections included.
DN_API dn_status dn_model_subcollections_count(const dn_model* model, int64_t* out);

/// The sub-collection at a place in the order of their creation; in a model that was loaded, in the order in which the
/// file first names them.
/// @param out a new reference, given back with dn_model_free
DN_API dn_status dn_model_subcollection_at(const dn_model* model, int64_t index, dn_model** out);

/// The sub-collection at a full path, such as "/encoder/".
/// @param out a new reference, given back with dn_model_free; or null if the model has no such sub-collection
DN_API dn_status dn_model_find_subcollection(const dn_model* model, const char* path, int64_t path_length,
                                             dn_model** out);

/// The model's path, "/" for a root, "/encoder/" for a sub-collection. Borrowed for the model's life.
DN_API dn_status dn_model_path(const dn_model* model, const char** out, int64_t* out_length);

/// Adds a parameter. Names are made unique as by dn_model_add_subcollection.
/// @param dim no batch dimension
/// @param out owned by the model
DN_API dn_status dn_model_add_parameters(dn_model* model, const dn_dim* dim, const dn_initializer* initializer,
                                         const char* name, int64_t name_length, dn_parameter** out);

/// Adds a lookup parameter: a table of `rows` tensors of one shape. Names are made unique as by
/// dn_model_add_subcollection.
/// @param rows 1 to 2^31 - 1
/// @param dim the shape of one row, at most 6 dimensions and no batch
/// @param out owned by the model
DN_API dn_status dn_model_add_lookup_parameters(dn_model* model, int64_t rows, const dn_dim* dim,
                                                const dn_initializer* initializer, const char* name,
                                                int64_t name_length, dn_lookup_parameter** out);

/// The number of parameters in the model, sub-collections included.
DN_API dn_status dn_model_parameters_count(const dn_model* model, int64_t* out);

/// The parameter at a place in the order of their creation.
DN_API dn_status dn_model_parameter_at(const dn_model* model, int64_t index, dn_parameter** out);

/// The number of lookup parameters in the model, sub-collections included.
DN_API dn_status dn_model_lookup_parameters_count(const dn_model* model, int64_t* out);

/// The lookup parameter at a place in the order of their creation.
DN_API dn_status dn_model_lookup_parameter_at(const dn_model* model, int64_t index, dn_lookup_parameter** out);

/// Notes what a model has, so that dn_model_rollback can take back what is added afterwards: for builders that make
/// several parameters, and all or none. A model and its sub-collections share what is noted.
DN_API dn_status dn_mark_create(const dn_model* model, dn_mark** out);

/// Gives back a mark.
DN_API void dn_mark_free(dn_mark* mark);

/// Takes back what was added to a model since a mark was made of it: parameters, lookup parameters, sub-collections and
/// the names of all these. What is added next gets the names and first values that it would have got then. Calls with
/// what was taken back are DN_E_STATE; graphs that have read it stay as they are. Needs no memory. Must not run beside
/// anything else that uses the model.
/// @param mark of this model, or of one that it shares its parameters with
/// @throws DN_E_ARGUMENT if the mark is of another model, DN_E_STATE if what it noted was taken back itself
DN_API dn_status dn_model_rollback(dn_model* model, const dn_mark* mark);

/// The number of trained values in the model, sub-collections and lookup tables included.
DN_API dn_status dn_model_values_count(const dn_model* model, int64_t* out);

/// The number of values of those parameters and tables that trainers update (see dn_parameter_set_updated).
DN_API dn_status dn_model_updated_values_count(const dn_model* model, int64_t* out);

/// Freezes or thaws every parameter and lookup parameter that the model has now, sub-collections included (see
/// dn_parameter_set_updated).
/// @param on 0 freezes, anything else thaws
DN_API dn_status dn_model_set_updated(dn_model* model, int32_t on);

/// The weight decay lambda: each update multiplies every value that it may change by 1 - lambda, after the gradient's
/// step, so that w becomes (1 - lambda) * (w + step). This is what DyNet's weight decay comes to, which keeps the
/// common factor apart and multiplies it in now and then; here values are always current. A sub-collection has that of
/// the collection around it unless it was given one of its own. The default is 0, as in DyNet.
DN_API dn_status dn_model_weight_decay(const dn_model* model, double* out);

/// Sets the weight decay of the model's parameters, and of those of its sub-collections that have none of their own.
/// (DyNet's sub-collections take over what the one around them has when they are added; and its trainers apply only the
/// decay of the collection that they were made for.)
/// @param lambda 0 or more, less than 1
/// @throws DN_E_STATE if the model is a sub-collection that was taken back (dn_model_rollback)
DN_API dn_status dn_model_set_weight_decay(dn_model* model, double lambda);

/// Sets the gradients of all parameters to 0.
DN_API dn_status dn_model_reset_gradients(dn_model* model);

/// The norm of all gradients together: the square root of the sum of their squares, summed in double; frozen
/// parameters included.
DN_API dn_status dn_model_gradient_norm(const dn_model* model, double* out);

/// Multiplies the gradients of all parameters by a number.
/// @param factor finite
DN_API dn_status dn_model_scale_gradients(dn_model* model, double factor);

/// Multiplies the values of all parameters by a number. Must not run beside anything else that uses the model.
/// @param factor finite
DN_API dn_status dn_model_scale_values(dn_model* model, double factor);

/// Scales the values of all parameters so that the norm of all together is the radius. (DyNet's project_weights is
/// documented so, but prints the norm and changes nothing.) Must not run beside anything else that uses the model.
/// @param radius finite, more than 0
/// @throws DN_E_STATE if the norm is 0 or not finite: nothing is changed
DN_API dn_status dn_model_project_weights(dn_model* model, double radius);

/// Writes a model in DyNet's text format. The file appears whole or not at all: it is written beside its place, synced
/// and renamed.
/// @param key the path under which the names are written, such as "/decoder/", or empty for the names as they are
/// @param with_gradients writes gradients too, where they are not 0
DN_API dn_status dn_model_save(const dn_model* model, const char* path, int64_t path_length, const char* key,
                               int64_t key_length, int32_t with_gradients);

/// Writes a model in DyNet's text format through a callback.
DN_API dn_status dn_model_save_to(const dn_model* model, dn_write_callback write, void* context, const char* key,
                                  int64_t key_length, int32_t with_gradients);

/// Reads a file in DyNet's text format into a new model, making the parameters and sub-collections that it names.
/// @param key reads only what lies below this path, which becomes the root of the new model: with "/encoder/",
/// "/encoder/b" becomes "/b"; empty for all
DN_API dn_status dn_model_load(const char* path, int64_t path_length, const char* key, int64_t key_length,
                               dn_model** out);

/// Reads text in DyNet's format into a new model.
/// @param key reads only what lies below this path; empty for all
DN_API dn_status dn_model_load_from(const uint8_t* bytes, int64_t bytes_count, const char* key, int64_t key_length,
                                    dn_model** out);

/// Reads the values of a model's parameters, and the gradients where the file has them, from a file in DyNet's text
/// format. Every parameter of the model must be in the file under its name with its shape; what else the file holds is
/// ignored. Gradients that the file does not have are reset. On failure the model is as it was.
/// @param key the path in the file that corresponds to the model's own path; empty for the names as they are
DN_API dn_status dn_model_populate(dn_model* model, const char* path, int64_t path_length, const char* key,
                                   int64_t key_length);

/// Reads the values of a model's parameters from text in DyNet's format, as dn_model_populate does.
DN_API dn_status dn_model_populate_from(dn_model* model, const uint8_t* bytes, int64_t bytes_count, const char* key,
                                        int64_t key_length);

// ---- files of one parameter ----

/// Writes one parameter in DyNet's text format, as dn_model_save writes a model.
/// @param key the name under which it is written, such as "/W", or empty for its own
/// @param with_gradients writes the gradient too, where there is one
/// @throws DN_E_ARGUMENT if the key is no name
DN_API dn_status dn_parameter_save(const dn_parameter* parameter, const char* path, int64_t path_length,
                                   const char* key, int64_t key_length, int32_t with_gradients);

/// Writes one parameter in DyNet's text format through a callback.
DN_API dn_status dn_parameter_save_to(const dn_parameter* parameter, dn_write_callback write, void* context,
                                      const char* key, int64_t key_length, int32_t with_gradients);

/// Reads the values of one parameter, and the gradient where the file has it, from a file in DyNet's text format, which
/// must have it with its shape; what else the file holds is ignored. Where the file has no gradient, that of the
/// parameter is reset. On failure it is as it was.
/// @param key its name in the file, or empty for its own
/// @throws DN_E_ARGUMENT if the key is no name; DN_E_FORMAT if the file is damaged or lacks it
DN_API dn_status dn_parameter_populate(dn_parameter* parameter, const char* path, int64_t path_length, const char* key,
                                       int64_t key_length);

/// Reads the values of one parameter from text in DyNet's format, as dn_parameter_populate does.
DN_API dn_status dn_parameter_populate_from(dn_parameter* parameter, const uint8_t* bytes, int64_t bytes_count,
                                            const char* key, int64_t key_length);

/// Adds a parameter with the shape, the values and the gradient that one has in a file in DyNet's text format. On
/// failure the model is as it was.
/// @param key its name in the file, such as "/encoder/W"
/// @param name its name in the model as dn_model_add_parameters takes it, or empty for a number
/// @throws DN_E_ARGUMENT if the key is no name; DN_E_FORMAT if the file is damaged or has no parameter of that name
DN_API dn_status dn_model_load_parameters(dn_model* model, const char* path, int64_t path_length, const char* key,
                                          int64_t key_length, const char* name, int64_t name_length,
                                          dn_parameter** out);

/// Adds a lookup parameter with the rows, the shape, the values and the gradient that one has in a file, as
/// dn_model_load_parameters does.
DN_API dn_status dn_model_load_lookup_parameters(dn_model* model, const char* path, int64_t path_length,
                                                 const char* key, int64_t key_length, const char* name,
                                                 int64_t name_length, dn_lookup_parameter** out);

/// Writes one lookup parameter in DyNet's text format, as dn_model_save writes a model.
/// @param key the name under which it is written, such as "/E", or empty for its own
/// @param with_gradients writes the gradient too, where there is one
/// @throws DN_E_ARGUMENT if the key is no name
DN_API dn_status dn_lookup_parameter_save(const dn_lookup_parameter* parameter, const char* path, int64_t path_length,
                                          const char* key, int64_t key_length, int32_t with_gradients);

/// Writes one lookup parameter in DyNet's text format through a callback.
DN_API dn_status dn_lookup_parameter_save_to(const dn_lookup_parameter* parameter, dn_write_callback write,
                                             void* context, const char* key, int64_t key_length,
                                             int32_t with_gradients);

/// Reads the values of one lookup parameter, and the gradient where the file has it, from a file in DyNet's text
/// format, which must have it with its shape; what else the file holds is ignored. Where the file has no gradient, that
/// of the lookup parameter is reset. On failure it is as it was.
/// @param key its name in the file, or empty for its own
/// @throws DN_E_ARGUMENT if the key is no name; DN_E_FORMAT if the file is damaged or lacks it
DN_API dn_status dn_lookup_parameter_populate(dn_lookup_parameter* parameter, const char* path, int64_t path_length,
                                              const char* key, int64_t key_length);

/// Reads the values of one lookup parameter from text in DyNet's format, as dn_lookup_parameter_populate does.
DN_API dn_status dn_lookup_parameter_populate_from(dn_lookup_parameter* parameter, const uint8_t* bytes,
                                                   int64_t bytes_count, const char* key, int64_t key_length);

// ---- parameters ----

/// The full name, such as "/encoder/W". Borrowed for the parameter's life.
DN_API dn_status dn_parameter_name(const dn_parameter* parameter, const char** out, int64_t* out_length);

/// The shape.
DN_API dn_status dn_parameter_dim(const dn_parameter* parameter, dn_dim* out);

/// The values, column-major. Borrowed for the parameter's life; they change with updates.
DN_API dn_status dn_parameter_values(const dn_parameter* parameter, const float** out, int64_t* out_count);

/// Replaces all values.
/// @param values_count the number of elements of the parameter
DN_API dn_status dn_parameter_set_values(dn_parameter* parameter, const float* values, int64_t values_count);

/// The accumulated gradient in the model's own set, column-major; zeros if there is none. Borrowed for the parameter's
/// life; it changes with backward and update. Beside one of these, DN_E_BUSY if there was none before.
DN_API dn_status dn_parameter_gradient(dn_parameter* parameter, const float** out, int64_t* out_count);

/// Whether trainers update the parameter; they do by default.
DN_API dn_status dn_parameter_updated(const dn_parameter* parameter, int32_t* out);

/// Freezes or thaws the parameter. A frozen one takes part in graphs as before and gets gradients, which add up until
/// they are reset; trainers leave it alone: no step, no weight decay, no part in the norm for clipping. (In DyNet it
/// counts for that norm.)
/// @param on 0 freezes, anything else thaws
DN_API dn_status dn_parameter_set_updated(dn_parameter* parameter, int32_t on);

/// Sets the values and the gradient to 0.
DN_API dn_status dn_parameter_zero(dn_parameter* parameter);

/// Brings every value into [low, high]. NaN stays.
/// @param low a number, perhaps infinite
/// @param high not less than low
DN_API dn_status dn_parameter_clip(dn_parameter* parameter, double low, double high);

/// Multiplies all values by a number.
/// @param factor finite
DN_API dn_status dn_parameter_scale(dn_parameter* parameter, double factor);

/// Multiplies the accumulated gradient in the model's own set by a number.
/// @param factor finite
DN_API dn_status dn_parameter_scale_gradient(dn_parameter* parameter, double factor);

/// The full name. Borrowed for the parameter's life.
DN_API dn_status dn_lookup_parameter_name(const dn_lookup_parameter* parameter, const char** out, int64_t* out_length);

/// The shape of one row.
DN_API dn_status dn_lookup_parameter_dim(const dn_lookup_parameter* parameter, dn_dim* out);

/// The number of rows.
DN_API dn_status dn_lookup_parameter_rows(const dn_lookup_parameter* parameter, int64_t* out);

/// All values, row after row, each column-major. Borrowed for the parameter's life; they change with updates.
DN_API dn_status dn_lookup_parameter_values(const dn_lookup_parameter* parameter, const float** out,
                                            int64_t* out_count);

/// Replaces all values.
DN_API dn_status dn_lookup_parameter_set_values(dn_lookup_parameter* parameter, const float* values,
                                                int64_t values_count);

/// Replaces the values of one row.
DN_API dn_status dn_lookup_parameter_set_row(dn_lookup_parameter* parameter, int64_t row, const float* values,
                                             int64_t values_count);

/// Copies the accumulated gradient of one row in the model's own set; zeros if the row has none.
/// @param values_count the number of elements of a row
/// @throws DN_E_BUSY if another call is writing the gradients
DN_API dn_status dn_lookup_parameter_row_gradient(dn_lookup_parameter* parameter, int64_t row, float* values,
                                                  int64_t values_count);

/// Whether trainers update the table; they do by default.
DN_API dn_status dn_lookup_parameter_updated(const dn_lookup_parameter* parameter, int32_t* out);

/// Freezes or thaws the table, as dn_parameter_set_updated does a parameter.
/// @param on 0 freezes, anything else thaws
DN_API dn_status dn_lookup_parameter_set_updated(dn_lookup_parameter* parameter, int32_t on);

/// Sets the values and the gradient to 0.
DN_API dn_status dn_lookup_parameter_zero(dn_lookup_parameter* parameter);

/// Brings every value into [low, high]. NaN stays.
/// @param low a number, perhaps infinite
/// @param high not less than low
DN_API dn_status dn_lookup_parameter_clip(dn_lookup_parameter* parameter, double low, double high);

/// Multiplies all values by a number.
/// @param factor finite
DN_API dn_status dn_lookup_parameter_scale(dn_lookup_parameter* parameter, double factor);

/// Multiplies the accumulated gradient in the model's own set by a number.
/// @param factor finite
DN_API dn_status dn_lookup_parameter_scale_gradient(dn_lookup_parameter* parameter, double factor);

// ---- gradient sets ----

/// Makes an empty gradient set for a model: a place for one worker's gradients. Sets are merged in the order given to
/// dn_trainer_update_from, so the result does not depend on which worker ends first.
/// @param model a sub-collection names the model that it is a part of: a set takes the gradients of all of that
DN_API dn_status dn_gradients_create(dn_model* model, dn_gradients** out);

/// Gives back a gradient set.
DN_API void dn_gradients_free(dn_gradients* gradients);

/// Sets all gradients of the set to 0.
DN_API dn_status dn_gradients_reset(dn_gradients* gradients);

/// The gradient of one parameter in the set, column-major. Borrowed until the set changes or is freed.
DN_API dn_status dn_gradients_parameter(dn_gradients* gradients, const dn_parameter* parameter, const float** out,
                                        int64_t* out_count);

/// Copies the gradient of one row of a lookup table in the set; zeros if the row has none.
/// @param values_count the number of elements of a row
DN_API dn_status dn_gradients_lookup_row(dn_gradients* gradients, const dn_lookup_parameter* parameter, int64_t row,
                                         float* values, int64_t values_count);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // DYNNET_DYNNET_MODELS_H_
