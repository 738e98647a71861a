#include "fedtune/report/page/line_chart.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "fedtune/report/units.h"

namespace fedtune::report {
namespace {

constexpr double line_chart_width = 400, least_height = 236;
constexpr double top = 12, bottom = 38, left = 46;
constexpr double label_gap = 15;        // between two labels, baseline to baseline
constexpr double bold_letter = 8.2;     // of a label in bold, on average
constexpr std::size_t most_marks = 24;  // beyond it a line is drawn without marks

// A label at the right end.
struct EndLabel {
  double y = 0.0;
  std::string text;
  std::string style;
};

Interval grown(Interval interval, double value) {
  if (!std::isfinite(value)) return interval;
  return {.low = std::min(interval.low, value), .high = std::max(interval.high, value)};
}

constexpr Interval nothing{.low = 1e300, .high = -1e300};

int colour(const Line& line) {
  return line.look % colours;
}

class Drawing {
 public:
  explicit Drawing(const LineChart& chart) : chart_(chart) {
    Interval x = nothing, y = nothing;
    std::size_t longest = 0;
    for (const Line& line : chart.lines) {
      longest = std::max(longest, line.label.size());
      for (const Point& point : line.points) {
        if (!std::isfinite(point.y)) continue;
        x = grown(x, point.x);
        y = grown(y, point.y);
        if (point.band) y = grown(grown(y, point.band->low), point.band->high);
      }
    }
    for (const Level& level : chart.levels) {
      longest = std::max(longest, level.label.size());
      y = grown(y, level.value);
    }
    const auto labels = static_cast<double>(chart.lines.size() + chart.levels.size());
    height_ = std::max(least_height, top + label_gap * labels + bottom);
    empty_ = x.low > x.high;
    if (empty_) return;
    right_ = std::clamp(12 + bold_letter * static_cast<double>(longest), 30.0, 130.0);
    y_ticks_ = ticks(y, 5);
    const bool logarithmic = chart.x_spacing == Spacing::logarithmic;
    x_ticks_ = chart.whole_x ? whole_ticks(x, 6) : ticks(x, logarithmic ? 6 : 5, chart.x_spacing);
    if (!chart.whole_x) x = {.low = x_ticks_.front(), .high = x_ticks_.back()};
    x_.emplace(x, Interval{left + 6, line_chart_width - right_ - 4}, chart.x_spacing);
    y_.emplace(Interval{y_ticks_.front(), y_ticks_.back()}, Interval{height_ - bottom, top});
  }

  std::string svg() {
    std::string body;
    if (empty_) {
      body = fmt::format("<text class=\"tk\" x=\"{}\" y=\"{}\">no figures</text>", left, height_ / 2);
    } else {  // one after the other: lines and levels leave their labels behind
      body = axes();
      body += levels();
      body += bands();
      body += lines();
      body += labels();
    }
    return fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n{}</svg>\n", line_chart_width,
                       height_, escaped(fmt::format("{}. {}", chart_.title, chart_.summary)), body);
  }

 private:
  std::string axes() const {
    std::string svg;
    const std::vector<std::string> y_labels = tick_labels(y_ticks_);
    for (std::size_t i = 0; i < y_ticks_.size(); ++i) {
      const double y = (*y_)(y_ticks_[i]);
      svg += fmt::format("<path class=\"gr\" d=\"M{} {}H{}\"/>", coordinate(left), coordinate(y),
                         coordinate(line_chart_width - right_));
      svg += fmt::format("<text class=\"tk e\" x=\"{}\" y=\"{}\">{}</text>\n", coordinate(left - 6), coordinate(y + 4),
                         y_labels[i]);
    }
    const bool logarithmic = chart_.x_spacing == Spacing::logarithmic;
    const std::vector<std::string> x_labels = tick_labels(x_ticks_);
    for (std::size_t i = 0; i < x_ticks_.size(); ++i) {
      svg +=
          fmt::format("<text class=\"tk m\" x=\"{}\" y=\"{}\">{}</text>", coordinate((*x_)(x_ticks_[i])),
                      coordinate(height_ - bottom + 17), logarithmic ? fmt::format("{:g}", x_ticks_[i]) : x_labels[i]);
    }
    return svg + fmt::format("\n<text class=\"tk m\" x=\"{}\" y=\"{}\">{}</text>\n",
                             coordinate((left + line_chart_width - right_) / 2), height_ - 5, escaped(chart_.x_title));
  }

  std::string levels() {
    std::string svg;
    for (const Level& level : chart_.levels) {
      if (!std::isfinite(level.value)) continue;
      const double y = (*y_)(level.value);
      svg += fmt::format("<path class=\"lv\" d=\"M{} {}H{}\"><title>{}: {}</title></path>\n", coordinate(left),
                         coordinate(y), coordinate(line_chart_width - right_), escaped(level.label),
                         number_text(level.value));
      labels_.push_back({y, level.label, "tk"});
    }
    return svg;
  }

  std::string bands() const {
    std::string svg;
    for (const Line& line : chart_.lines) {
      std::string upper, lower;
      for (const Point& point : line.points) {
        if (!point.band || !std::isfinite(point.y)) continue;
        upper += fmt::format("{}{} {}", upper.empty() ? "M" : "L", at_x(point), coordinate((*y_)(point.band->high)));
        lower = fmt::format("L{} {}", at_x(point), coordinate((*y_)(point.band->low))) + lower;
      }
      if (!upper.empty()) svg += fmt::format("<path class=\"bd f{}\" d=\"{}{}Z\"/>\n", colour(line), upper, lower);
    }
    return svg;
  }

  std::string at_x(const Point& point) const { return coordinate((*x_)(point.x)); }

  std::string mark(const Line& line, const Point& point) const {
    const double x = (*x_)(point.x), y = (*y_)(point.y);
    std::string shape;
    const auto path = [&](std::string_view d) {
      return fmt::format("<path class=\"f{}\" transform=\"translate({} {})\" d=\"{}\">", colour(line), coordinate(x),
                         coordinate(y), d);
    };
    switch (line.look % shapes) {
      case 0:
        shape = path("M-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0Z");
        break;
      case 1:
        shape = path("M-2.8-2.8h5.6v5.6h-5.6Z");
        break;
      case 2:
        shape = path("M0-3.8L3.6 2.6H-3.6Z");
        break;
      default:
        shape = path("M0-3.9L3.9 0L0 3.9L-3.9 0Z");
        break;
    }
    return fmt::format("{}<title>{}, {} {}: {}</title></path>\n", shape, escaped(line.label), escaped(chart_.x_title),
                       number_text(point.x), number_text(point.y));
  }

  std::string lines() {
    std::string svg;
    for (const Line& line : chart_.lines) {
      std::string path, marks;
      bool pen_down = false;
      const Point* last = nullptr;
      for (const Point& point : line.points) {
        if (!std::isfinite(point.y)) {
          pen_down = false;
          continue;
        }
        path += fmt::format("{}{} {}", pen_down ? "L" : "M", at_x(point), coordinate((*y_)(point.y)));
        pen_down = true;
        last = &point;
        if (!line.dashed && line.points.size() <= most_marks) marks += mark(line, point);
      }
      if (last == nullptr) continue;
      if (marks.empty()) marks = mark(line, *last);
      svg +=
          fmt::format("<path class=\"ln s{}{}\" d=\"{}\"/>\n{}", colour(line), line.dashed ? " da" : "", path, marks);
      labels_.push_back({(*y_)(last->y), line.label, fmt::format("lb t{}", colour(line))});
    }
    return svg;
  }

  // Ends of lines that lie close push their labels apart.
  std::string labels() {
    std::ranges::stable_sort(labels_, {}, &EndLabel::y);
    for (std::size_t i = 1; i < labels_.size(); ++i) {
      labels_[i].y = std::max(labels_[i].y, labels_[i - 1].y + label_gap);
    }
    double limit = height_ - bottom - 2;
    for (auto label = labels_.rbegin(); label != labels_.rend(); ++label) {
      label->y = std::min(label->y, limit);
      limit = label->y - label_gap;
    }
    std::string svg;
    for (const EndLabel& label : labels_) {
      svg += fmt::format("<text class=\"{}\" x=\"{}\" y=\"{}\">{}</text>", label.style,
                         coordinate(line_chart_width - right_ + 6), coordinate(label.y + 4), escaped(label.text));
    }
    return svg + "\n";
  }

  const LineChart& chart_;
  bool empty_ = false;
  double right_ = 0.0;
  double height_ = least_height;  // more where the labels need it
  std::vector<double> x_ticks_, y_ticks_;
  std::optional<Scale> x_, y_;
  std::vector<EndLabel> labels_;
};

}  // namespace

std::string to_svg(const LineChart& chart) {
  return Drawing(chart).svg();
}

}  // namespace fedtune::report
