#include "fedtune/report/page/page.h"

#include <array>

#include <fmt/format.h>

#include "fedtune/report/page/sections.h"
#include "fedtune/report/page/style.h"

namespace fedtune::report {
namespace {

struct Part {
  const char* id;
  const char* name;  // in the contents
  std::string (*make)(const Study&);
};
constexpr std::array<Part, 8> parts{{{"overview", "Overview", overview_section},
                                     {"scores", "Scores", scores_section},
                                     {"seeds", "Seeds", seeds_section},
                                     {"cost", "Cost", cost_section},
                                     {"data", "Data", data_section},
                                     {"clients", "Clients", clients_section},
                                     {"averaging", "Averaging", averaging_section},
                                     {"again", "Repeat it", provenance_section}}};

std::string title_of(const Study& study) {
  return study.is_one_run() ? study.runs().front().name : fmt::format("{} runs compared", study.runs().size());
}

}  // namespace

std::string to_page(const Study& study) {
  std::string contents, body;
  for (const Part& part : parts) {
    const std::string section = part.make(study);
    if (section.empty()) continue;
    contents += fmt::format("<li><a href=\"#{}\">{}</a></li>", part.id, part.name);
    body += section;
  }
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n"
      "<title>{0} - fedtune report</title>\n<style>\n{1}</style>\n</head>\n<body>\n"
      "<a class=\"skip\" href=\"#main\">To the figures</a>\n"
      "<header><p>fedtune report</p><h1>{0}</h1></header>\n"
      "<nav aria-label=\"Contents\"><ul>{2}</ul></nav>\n<main id=\"main\">\n{3}</main>\n</body>\n</html>\n",
      escaped(title_of(study)), page_style, contents, body);
}

}  // namespace fedtune::report
