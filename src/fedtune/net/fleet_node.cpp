#include "fedtune/net/fleet_node.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "fedtune/base/clock.h"
#include "fedtune/base/error.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/base/log.h"
#include "fedtune/base/plain_text.h"
#include "fedtune/net/fleet.h"
#include "fedtune/net/fleet_messages.h"
#include "fedtune/net/flower.h"
#include "fedtune/net/flower_objects.h"

namespace fedtune::net {
namespace {

namespace proto = ::flwr::proto;

constexpr int key_known = 23, node_auth_on = 2001, key_unknown_or_online = 2004, run_not_running = 2007;
constexpr int error_app_raised = 2;
constexpr double interval_floor = 0.05;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

class FleetNode {
 public:
  explicit FleetNode(const NodeOptions& options)
      : options_(options),
        key_(options.key.empty() ? NodeKey::fresh() : NodeKey::from_file(options.key)),
        fleet_(fleet_to(options.client.server, options.client.tls, key_)) {}

  void check() {
    sign_on();
    sign_off();
  }

  [[noreturn]] void serve(const JoinParts& parts) {
    sign_on();
    {
      const Heartbeat heartbeat(*this);
      while (!stopped()) {
        if (!work_once(parts)) pause(options_.poll);
      }
    }
    sign_off();
    throw Interrupted(interrupt_signal());
  }

 private:
  // A run's arrays in the layout's order, and the names they have there.
  struct Matched {
    NamedTensors tensors{};
    std::vector<std::string> keys{};
  };

  bool stopped() const { return options_.client.stop && options_.client.stop(); }
  void pause(double seconds) const {
    for (const Stopwatch watch; watch.seconds() < seconds && !stopped();) {
      std::this_thread::sleep_for(std::chrono::duration<double>(std::min(interval_floor, seconds)));
    }
  }

  // A call, made again while the SuperLink is out of reach.
  template <typename Result, typename Request>
  Result call(const std::string& method, const Request& request) {
    const Stopwatch lost;
    for (double wait = 0.1;; wait = std::min(2.0 * wait, 2.0)) {
      try {
        return ask<Result>(*fleet_, method, request);
      } catch (const FleetError& error) {
        if (stopped()) throw Interrupted(interrupt_signal());
        if (!error.passes()) throw;
        if (lost.seconds() > options_.client.give_up) {
          throw network_error("{} was not reached for {} s: {}; does a SuperLink listen there?", options_.client.server,
                              options_.client.give_up, error.what());
        }
        if (wait == 0.1 && options_.client.watch.on_lost) options_.client.watch.on_lost(error.what());
        pause(wait);
      }
    }
  }
  template <typename Result, typename Request>
  static Result ask(Fleet& fleet, const std::string& method, const Request& request) {
    Result result;
    const std::string answer = fleet.call(method, request.SerializeAsString());
    if (!result.ParseFromString(answer)) throw FleetError(200, 0, method + ": the answer cannot be read");
    return result;
  }

  void sign_on() {
    try {
      proto::RegisterNodeFleetRequest request;
      request.set_public_key(key_.public_pem());
      call<proto::RegisterNodeFleetResponse>("register-node", request);
    } catch (const FleetError& error) {
      if (error.code() != key_known && error.code() != node_auth_on) throw refused(error);
    }
    proto::ActivateNodeRequest request;
    request.set_public_key(key_.public_pem());
    request.set_heartbeat_interval(options_.heartbeat);
    // A node that was killed counts as online until its lease of two heartbeats ends.
    for (const Stopwatch watch;; pause(1.0)) {
      try {
        node_id_ = call<proto::ActivateNodeResponse>("activate-node", request).node_id();
        log_info("node {} of {}", node_id_.load(), options_.client.server);
        return;
      } catch (const FleetError& error) {
        const bool may_end = error.code() == key_unknown_or_online && !key_.is_fresh();
        if (!may_end || watch.seconds() > 2.2 * options_.heartbeat || stopped()) throw refused(error);
      }
    }
  }

  Error refused(const FleetError& error) const {
    std::string_view hint;
    if (error.status() == 401) hint = "; is this machine's clock right?";
    if (error.code() == key_unknown_or_online) {
      hint = key_.is_fresh() ? "; the SuperLink wants registered keys: give one with --tls-key"
                             : "; register the key (flwr supernode register), or is a node with it online elsewhere?";
    }
    return network_error("{} refuses this node: {}{}", options_.client.server, error.what(), hint);
  }

  void sign_off() noexcept {
    try {
      proto::DeactivateNodeRequest deactivate;
      deactivate.set_node_id(node_id_);
      fleet_->call("deactivate-node", deactivate.SerializeAsString());
      if (!key_.is_fresh()) return;
      proto::UnregisterNodeFleetRequest unregister;
      unregister.set_node_id(node_id_);
      fleet_->call("unregister-node", unregister.SerializeAsString());
    } catch (const std::exception& error) {
      log_debug("signing off: {}", error.what());
    }
  }

  // Tells the SuperLink that the node lives, on a line of its own, while a message is worked on too.
  class Heartbeat {
   public:
    explicit Heartbeat(FleetNode& node)
        : node_(node),
          fleet_(fleet_to(node.options_.client.server, node.options_.client.tls, node.key_)),
          thread_([this](const std::stop_token& token) { beat(token); }) {}

   private:
    void beat(const std::stop_token& token) {
      std::mutex mutex;
      std::condition_variable_any woken;
      std::unique_lock lock(mutex);
      const auto interval = std::chrono::duration<double>(0.6 * node_.options_.heartbeat);
      while (!woken.wait_for(lock, token, interval, [] { return false; }) && !token.stop_requested()) {
        try {
          proto::SendNodeHeartbeatRequest request;
          request.mutable_node()->set_node_id(node_.node_id_);
          request.set_heartbeat_interval(node_.options_.heartbeat);
          fleet_->call("send-node-heartbeat", request.SerializeAsString());
        } catch (const std::exception& error) {
          log_debug("heartbeat: {}", error.what());
        }
      }
    }

    FleetNode& node_;
    std::unique_ptr<Fleet> fleet_;
    std::jthread thread_;  // last: joined before the rest goes
  };

  void set_node(proto::Node& node) const { node.set_node_id(node_id_); }

  // Whether there was a message.
  bool work_once(const JoinParts& parts) {
    try {
      proto::PullMessagesRequest request;
      set_node(*request.mutable_node());
      const auto pulled = call<proto::PullMessagesResponse>("pull-messages", request);
      const auto first = flower::first_message(pulled);
      if (!first) return false;
      answer(parts, first->message, first->root);
      return true;
    } catch (const FleetError& error) {
      if (error.status() == 401) {  // the SuperLink was started anew and does not know the node
        sign_on();
      } else if (error.code() != run_not_running) {
        log_warning("a message is dropped: {}", error.what());
      }
      return true;
    }
  }

  void answer(const JoinParts& parts, const proto::Message& asked, const std::string& root) {
    const std::uint64_t run = asked.metadata().run_id();
    const Stopwatch watch;
    proto::Message reply;
    flower::Objects objects;
    try {
      const flower::Records records = flower::read_message(
          root, [&](const std::string& id) { return pull_object(run, id); }, flower::most_array_bytes(parts.layout));
      confirm(run, root);
      objects = carry_out(parts, asked, records, reply);
    } catch (const Interrupted&) {
      throw;
    } catch (const FleetError&) {
      throw;
    } catch (const std::exception& error) {
      log_warning("round left out: {}", error.what());
      reply = reply_to(asked);
      reply.mutable_error()->set_code(error_app_raised);
      reply.mutable_error()->set_reason(plain_text(error.what()));
      objects = flower::write_message(reply.SerializeAsString(), nullptr);
    }
    push(run, reply, objects, watch.seconds());
  }

  std::string pull_object(std::uint64_t run, const std::string& id) {
    proto::PullObjectRequest request;
    set_node(*request.mutable_node());
    request.set_run_id(run);
    request.set_object_id(id);
    for (const Stopwatch watch;; pause(0.2)) {
      auto object = call<proto::PullObjectResponse>("pull-object", request);
      if (!object.object_found()) throw input_error("the SuperLink has no object {}", id);
      if (object.object_available()) return std::move(*object.mutable_object_content());
      if (watch.seconds() > options_.client.give_up || stopped()) throw input_error("object {} does not arrive", id);
    }
  }

  void confirm(std::uint64_t run, const std::string& root) {
    proto::ConfirmMessageReceivedRequest request;
    set_node(*request.mutable_node());
    request.set_run_id(run);
    request.set_message_object_id(root);
    call<proto::RecordDict>("confirm-message-received", request);
  }

  proto::Message reply_to(const proto::Message& asked) const {
    const proto::Metadata& from = asked.metadata();
    proto::Message reply;
    proto::Metadata& metadata = *reply.mutable_metadata();
    metadata.set_run_id(from.run_id());
    metadata.set_group_id(from.group_id());
    metadata.set_message_type(from.message_type());
    metadata.set_src_node_id(node_id_);
    metadata.set_dst_node_id(from.src_node_id());
    metadata.set_reply_to_message_id(from.message_id());
    metadata.set_created_at(seconds_now());
    metadata.set_ttl(std::max(from.created_at() + from.ttl() - metadata.created_at(), 1.0));
    return reply;
  }

  flower::Objects carry_out(const JoinParts& parts, const proto::Message& asked, const flower::Records& records,
                            proto::Message& reply) {
    const std::string type = asked.metadata().message_type().substr(0, asked.metadata().message_type().find('.'));
    if (type == "query") {
      const NamedTensors initial = parts.initial();
      reply = reply_to(asked);
      const flower::ReplyRecords said{.arrays = &initial, .counts = {{"num-examples", 1}}};
      return flower::write_message(reply.SerializeAsString(), &said);
    }
    const Matched matched = match(parts.layout, records);
    if (type == "train") return train(parts.task, asked, records, matched, reply);
    if (type == "evaluate") {
      const fed::Evaluation scores = parts.evaluate(matched.tensors);
      reply = reply_to(asked);
      const flower::ReplyRecords said{
          .metrics = {{"loss", scores.loss}, {"accuracy", scores.accuracy}, {"mcc", scores.mcc}},
          .counts = {{"num-examples", scores.sentences}}};
      return flower::write_message(reply.SerializeAsString(), &said);
    }
    throw input_error("a message of type '{}', expected train, evaluate or query", type);
  }

  flower::Objects train(fed::LocalTask& task, const proto::Message& asked, const flower::Records& records,
                        const Matched& matched, proto::Message& reply) {
    const auto named = records.config.find("server-round");
    round_ = named != records.config.end() ? static_cast<int>(named->second) : round_ + 1;
    if (options_.client.watch.on_instruction) options_.client.watch.on_instruction(round_);
    fed::Update update = task.train({.round = round_, .rank = options_.client.rank, .global = matched.tensors},
                                    [this] { return stopped(); });
    for (std::size_t i = 0; i < matched.keys.size(); ++i) update.tensors.tensors[i].name = matched.keys[i];
    reply = reply_to(asked);
    const flower::ReplyRecords said{
        .arrays = &update.tensors,
        .metrics = {{"loss", update.report.loss}},
        .counts = {{"num-examples", static_cast<std::int64_t>(update.weight)}, {"rank", options_.client.rank}}};
    if (options_.client.watch.on_sent) options_.client.watch.on_sent(update);
    return flower::write_message(reply.SerializeAsString(), &said);
  }

  // By name where the run's names are ours, else by position; the reply then has the run's names.
  static Matched match(const Layout& layout, const flower::Records& records) {
    const auto key_of = [&](std::size_t i) -> const std::pair<std::string, std::string>& {
      const auto named = std::ranges::find(records.arrays, layout[i].name, &std::pair<std::string, std::string>::first);
      return named != records.arrays.end() ? *named : records.arrays[i];
    };
    if (records.arrays.size() != layout.size()) {
      throw input_error("{} arrays were sent, expected {}, from {} to {}", records.arrays.size(), layout.size(),
                        layout.front().name, layout.back().name);
    }
    Matched matched;
    NamedTensors views;
    for (std::size_t i = 0; i < layout.size(); ++i) {
      const auto& [key, npy] = key_of(i);
      views.tensors.push_back(flower::array_from(npy, key, layout[i]));
      matched.keys.push_back(key);
    }
    matched.tensors = fed::tensors_in(layout, fed::copy_of(fed::Payload(std::move(views))));
    return matched;
  }

  static void write_tree(const flower::Tree& tree, proto::ObjectTree& written) {
    written.set_object_id(tree.id);
    for (const flower::Tree& child : tree.children) write_tree(child, *written.add_children());
  }

  // A session that the SuperLink has forgotten is begun again; it keeps what it has of the objects.
  void push(std::uint64_t run, const proto::Message& reply, const flower::Objects& objects, double seconds) {
    proto::PushMessagesRequest request;
    set_node(*request.mutable_node());
    proto::Message& message = *request.add_messages_list();
    message = reply;
    message.mutable_metadata()->set_message_id(objects.tree.id);
    if (!message.has_error()) message.mutable_content();
    write_tree(objects.tree, *request.add_message_object_trees());
    request.add_clientapp_runtime_list(seconds);
    constexpr int most_sessions = 3;
    for (int session = 0; session < most_sessions; ++session) {
      const auto accepted = call<proto::PushMessagesResponse>("push-messages", request);
      if (session == 0 && std::ranges::count(accepted.objects_to_push(), objects.tree.id) == 0) {
        throw FleetError(200, 0, "the SuperLink does not take the reply (too late, or answered already)");
      }
      if (push_objects(run, accepted, objects)) return;
    }
    throw FleetError(200, 0, "the SuperLink does not keep the reply's objects");
  }

  bool push_objects(std::uint64_t run, const proto::PushMessagesResponse& accepted, const flower::Objects& objects) {
    for (const std::string& id : accepted.objects_to_push()) {
      const auto found = objects.contents.find(id);
      if (found == objects.contents.end()) continue;
      proto::PushObjectRequest request;
      set_node(*request.mutable_node());
      request.set_run_id(run);
      request.set_object_id(id);
      request.set_object_content(found->second);
      request.set_session_id(accepted.session_id());
      if (!call<proto::PushObjectResponse>("push-object", request).stored()) return false;
    }
    return true;
  }

  const NodeOptions& options_;
  const NodeKey key_;
  std::unique_ptr<Fleet> fleet_;
  std::atomic<std::uint64_t> node_id_{0};
  int round_ = 0;
};

}  // namespace

void serve_superlink(const NodeOptions& options, const JoinParts& parts) {
  FleetNode(options).serve(parts);
}

void check_superlink(const NodeOptions& options) {
  FleetNode(options).check();
}

}  // namespace fedtune::net
