// What a trainer remembers as text:
//
//     #Trainer# 1 adam 0.9 0.999 1e-08
//     #State# 0.001 5 0 1 120 3 120 20 1
//     #Average# 2 0.999 1
//     #Trained# 2
//     #Parameter# /W {8,2} 1 120
//     #LookupParameter# /table {6,11} 0 120
//     #Parameter# /moment0/W {8,2} 257 ZERO_GRAD
//     ...
//
// The first line has the version of this format, the kind of trainer and its settings; the second the learning rate,
// the bounds of the norm and of the elements, whether updates are sparse, and the counts of updates, clips, steps, and
// of updates and clips since the status was reset; the third the kind of average, its beta and how often it is taken.
// Then comes everything that is trained, with its shape, whether it has moments, and how many values are in its
// average; and last those moments and averages, as a model's text has values (see text_format.h). Doubles are written
// so that they are read as the same bits.
#ifndef DYNNET_IO_TRAINER_FILE_H_
#define DYNNET_IO_TRAINER_FILE_H_

#include <string>
#include <string_view>

#include "io/file.h"
#include "training/trainer.h"

namespace dynnet::io {

void write_trainer(const dn_trainer& trainer, const Sink& sink);

/// Reads a trainer's state. Throws before anything changes.
/// @param source names the text in messages
void populate_trainer(dn_trainer& trainer, std::string_view text, const std::string& source);

}  // namespace dynnet::io

#endif  // DYNNET_IO_TRAINER_FILE_H_
