#include "fedtune/net/join_client.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <thread>
#include <utility>

#include "flwr/proto/transport.grpc.pb.h"

#include "fedtune/base/clock.h"
#include "fedtune/base/error.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/base/plain_text.h"
#include "fedtune/net/channel.h"
#include "fedtune/net/flower.h"

namespace fedtune::net {
namespace {

using flower::proto::ClientMessage;
using flower::proto::ServerMessage;
using Stream = grpc::ClientReaderWriter<ClientMessage, ServerMessage>;

void refuse(flower::proto::Status& status, flower::proto::Code code, const std::string& reason) {
  status.set_code(code);
  status.set_message(plain_text(reason));
}

class Joiner {
 public:
  Joiner(const ClientOptions& options, const JoinParts& parts)
      : options_(options),
        parts_(parts),
        channel_(channel_to(options, std::numeric_limits<int>::max())),
        stub_(flower::proto::FlowerService::NewStub(channel_)),
        canceller_(options.stop) {}

  void take_part() {
    Stopwatch lost;
    std::chrono::milliseconds time{100};
    while (true) {
      const std::int64_t heard = heard_;
      const grpc::Status status = stay();
      if (canceller_.stopped()) throw Interrupted(interrupt_signal());
      if (away_) {
        if (*away_ <= 0) return;
        std::this_thread::sleep_for(std::chrono::seconds(*away_));
        away_.reset();
      }
      if (heard_ != heard) {
        lost = Stopwatch();
        time = std::chrono::milliseconds(100);
      }
      if (!status.ok() && lost.seconds() > options_.give_up) {
        throw network_error("{} was not reached for {} s: {}; is a Flower server running there?", options_.server,
                            options_.give_up, status.error_message());
      }
      if (!status.ok() && options_.watch.on_lost) options_.watch.on_lost(status.error_message());
      pause(*channel_, time);
      time = std::min(time * 2, std::chrono::milliseconds(2000));
    }
  }

 private:
  // One stream, to its end.
  grpc::Status stay() {
    grpc::ClientContext call;
    canceller_.set(&call);
    const std::unique_ptr<Stream> stream = stub_->Join(&call);
    ServerMessage asked;
    while (!away_ && stream->Read(&asked)) {
      ++heard_;
      if (!stream->Write(answer(asked))) break;
    }
    stream->WritesDone();
    const grpc::Status status = stream->Finish();
    canceller_.set(nullptr);
    return status;
  }

  ClientMessage answer(const ServerMessage& asked) {
    ClientMessage said;
    switch (asked.msg_case()) {
      case ServerMessage::kFitIns:
        fit(asked.fit_ins(), *said.mutable_fit_res());
        break;
      case ServerMessage::kEvaluateIns:
        evaluate(asked.evaluate_ins(), *said.mutable_evaluate_res());
        break;
      case ServerMessage::kGetParametersIns:
        said.mutable_get_parameters_res()->mutable_status();
        flower::write_parameters(parts_.initial(), *said.mutable_get_parameters_res()->mutable_parameters());
        break;
      case ServerMessage::kReconnectIns:
        away_ = asked.reconnect_ins().seconds();
        said.mutable_disconnect_res()->set_reason(*away_ > 0 ? flower::proto::RECONNECT : flower::proto::ACK);
        break;
      default:
        refuse(*said.mutable_get_properties_res()->mutable_status(), flower::proto::GET_PROPERTIES_NOT_IMPLEMENTED,
               "this client has no properties");
    }
    return said;
  }

  void fit(const ServerMessage::FitIns& asked, ClientMessage::FitRes& said) {
    const int named = flower::round_in(asked.config());
    round_ = named > 0 ? named : round_ + 1;
    if (options_.watch.on_instruction) options_.watch.on_instruction(round_);
    try {
      const fed::Instruction instruction{
          .round = round_,
          .rank = options_.rank,
          .global = fed::tensors_in(parts_.layout, flower::payload_from(asked.parameters(), parts_.layout))};
      const fed::Update update = parts_.task.train(instruction, [this] { return canceller_.stopped(); });
      said.mutable_status();
      flower::write_parameters(update.tensors, *said.mutable_parameters());
      said.set_num_examples(static_cast<std::int64_t>(update.weight));
      (*said.mutable_metrics())["loss"].set_double_(update.report.loss);
      if (options_.watch.on_sent) options_.watch.on_sent(update);
    } catch (const Interrupted&) {
      throw;
    } catch (const std::exception& error) {
      refuse(*said.mutable_status(), flower::proto::FIT_NOT_IMPLEMENTED, error.what());
      if (options_.watch.on_refused) options_.watch.on_refused(round_, error.what());
    }
  }

  void evaluate(const ServerMessage::EvaluateIns& asked, ClientMessage::EvaluateRes& said) {
    try {
      const fed::Evaluation scores =
          parts_.evaluate(fed::tensors_in(parts_.layout, flower::payload_from(asked.parameters(), parts_.layout)));
      said.mutable_status();
      said.set_loss(static_cast<float>(scores.reference_loss));
      said.set_num_examples(scores.sentences);
      (*said.mutable_metrics())["accuracy"].set_double_(scores.accuracy);
      (*said.mutable_metrics())["mcc"].set_double_(scores.mcc);
    } catch (const std::exception& error) {
      refuse(*said.mutable_status(), flower::proto::EVALUATE_NOT_IMPLEMENTED, error.what());
    }
  }

  const ClientOptions& options_;
  const JoinParts& parts_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<flower::proto::FlowerService::Stub> stub_;
  Canceller canceller_;
  std::optional<std::int64_t> away_;  // seconds until the server wants this client back; 0: never
  std::int64_t heard_ = 0;            // messages of the server
  int round_ = 0;
};

}  // namespace

void join_flower(const ClientOptions& options, const JoinParts& parts) {
  Joiner(options, parts).take_part();
}

}  // namespace fedtune::net
