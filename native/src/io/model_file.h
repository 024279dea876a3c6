// Models from text: made anew, or given new values.
#ifndef DYNNET_IO_MODEL_FILE_H_
#define DYNNET_IO_MODEL_FILE_H_

#include <string>
#include <string_view>

#include "nn/model.h"

namespace dynnet::io {

/// A new model of the parameters below `key`, which becomes its root; their gradients too.
/// @param source names the text in messages
StorageRef load_model(std::string_view text, const std::string& key, const std::string& source);

/// Gives every parameter of a model the values, and the gradient or none, that the text has under the same name, with
/// `key` in place of the model's path unless it is empty. Throws before anything changes.
void populate_model(const dn_model& model, std::string_view text, const std::string& key, const std::string& source);

/// Gives one parameter or table the values, and the gradient or none, that the text has under a name. Throws before
/// anything changes.
void populate_one(dn_parameter& parameter, std::string_view text, const std::string& name, const std::string& source);
void populate_one(dn_lookup_parameter& table, std::string_view text, const std::string& name,
                  const std::string& source);

/// Adds the parameter or table that the text has as `key`, under a name that is free. Throws before anything changes.
dn_parameter& load_parameter(Storage& storage, std::string_view text, const std::string& key, const std::string& name,
                             const std::string& source);
dn_lookup_parameter& load_lookup_parameter(Storage& storage, std::string_view text, const std::string& key,
                                           const std::string& name, const std::string& source);

}  // namespace dynnet::io

#endif  // DYNNET_IO_MODEL_FILE_H_
