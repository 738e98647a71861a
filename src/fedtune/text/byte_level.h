// The first half of byte-level BPE (Radford et al. 2019): a text cut into words, each then spelt in bytes.
//
// Files write a byte as a visible character: printable ones of Latin-1 as themselves, the 68 others as U+0100 and on in
// their order, so that a blank is U+0120. Texts are cut where GPT-2's pattern cuts them:
//   's|'t|'re|'ve|'m|'ll|'d | ?letters | ?numbers | ?others | white space but its last character | white space
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace fedtune::text {

// The character that stands for each byte.
std::array<char32_t, 256> byte_characters();

// Bytes of the word that `text` begins with; at least 1. `text` is valid UTF-8 and not empty. Words may only be cut off
// from the left, one after the other: white space is cut with a look at what follows it.
std::size_t first_word(std::string_view text);

}  // namespace fedtune::text
