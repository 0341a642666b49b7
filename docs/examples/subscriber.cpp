// Reads the faces of a run, in C++17: libzmq and nlohmann/json, which reads MessagePack.
//
//   apt-get install g++ libzmq3-dev nlohmann-json3-dev
//   g++ -std=c++17 -O2 subscriber.cpp -lzmq -o subscriber
//   ./subscriber tcp://127.0.0.1:5556                 a `pub` endpoint
//   ./subscriber tcp://127.0.0.1:5556 pull            a `push` one
//   ./subscriber tcp://192.0.2.5:5556 sub kiosk.key   with the file of `facestream keys new`
#include <zmq.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using nlohmann::json;
using Frame = std::vector<unsigned char>;

static std::vector<Frame> receive(void *socket) {
    std::vector<Frame> frames;
    int more = 1;
    while (more) {
        zmq_msg_t part;
        zmq_msg_init(&part);
        if (zmq_msg_recv(&part, socket, 0) < 0) throw std::runtime_error(zmq_strerror(zmq_errno()));
        const auto *data = static_cast<unsigned char *>(zmq_msg_data(&part));
        frames.emplace_back(data, data + zmq_msg_size(&part));
        more = zmq_msg_more(&part);
        zmq_msg_close(&part);
    }
    return frames;
}

// Waits for a message; false: the publisher was there, and has been gone for so long.
static bool wait_for_message(void *socket, void *events, int gone_seconds) {
    using Clock = std::chrono::steady_clock;
    static bool is_away = false;
    static Clock::time_point since;
    for (;;) {
        zmq_pollitem_t items[] = {{socket, 0, ZMQ_POLLIN, 0}, {events, 0, ZMQ_POLLIN, 0}};
        zmq_poll(items, 2, 250);
        if (items[0].revents) return true;
        if (items[1].revents) {
            std::uint16_t event = 0;
            std::memcpy(&event, receive(events).at(0).data(), sizeof event);
            if (event == ZMQ_EVENT_DISCONNECTED && !is_away) since = Clock::now();
            is_away = event == ZMQ_EVENT_DISCONNECTED;
        }
        if (is_away && Clock::now() - since >= std::chrono::seconds(gone_seconds)) return false;
    }
}

int main(int count, char **words) {
    if (count < 2) {
        std::fprintf(stderr, "usage: subscriber ENDPOINT [sub|pull] [KEY]\n");
        return 2;
    }
    std::setvbuf(stdout, nullptr, _IOLBF, 0);  // each line at once, also into a pipe
    const bool pull = count > 2 && std::strcmp(words[2], "pull") == 0;
    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, pull ? ZMQ_PULL : ZMQ_SUB);
    if (!pull) {
        for (const char *topic : {"v1/face/", "v1/end/"}) zmq_setsockopt(socket, ZMQ_SUBSCRIBE, topic, std::strlen(topic));
    }
    if (count > 3) {
        std::ifstream file(words[3]);
        if (!file) {
            std::fprintf(stderr, "cannot read %s\n", words[3]);
            return 1;
        }
        const json key = json::parse(file);
        const std::pair<int, const char *> options[] = {
            {ZMQ_CURVE_SERVERKEY, "server"}, {ZMQ_CURVE_PUBLICKEY, "public"}, {ZMQ_CURVE_SECRETKEY, "secret"}};
        for (const auto &[option, name] : options) {
            const std::string text = key.at(name);
            zmq_setsockopt(socket, option, text.c_str(), text.size() + 1);
        }
    }
    // Whoever was away or too slow at the end of a run gets no `end`: after so long a publisher has to be taken for gone.
    const char *told = std::getenv("GONE_SECONDS");
    const int gone_seconds = told ? std::atoi(told) : 30;
    zmq_socket_monitor(socket, "inproc://events", ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED);
    void *events = zmq_socket(context, ZMQ_PAIR);
    zmq_connect(events, "inproc://events");
    if (zmq_connect(socket, words[1]) != 0) {
        std::fprintf(stderr, "cannot connect to %s: %s\n", words[1], zmq_strerror(zmq_errno()));
        return 1;
    }

    std::map<std::string, long long> expected;  // of each run and stream: the number of its next face
    bool is_over = false;
    while (!is_over && wait_for_message(socket, events, gone_seconds)) {
        const auto frames = receive(socket);  // [topic][header][part...]
        if (frames.size() < 2) continue;
        const json header = json::from_msgpack(frames[1]);
        if (header.at("schema") != "facestream/1") throw std::runtime_error("another version of the wire");
        const std::string kind = header.at("kind"), stream = header.at("stream");
        if (kind == "end") {
            std::printf("end %s\n", header.at("outcome").get<std::string>().c_str());
            is_over = true;
        }
        if (kind != "face") continue;
        const long long seq = header.at("seq");
        const std::string series = header.at("run_id").get<std::string>() + "/" + stream;
        const auto next = expected.find(series);
        if (next != expected.end() && seq > next->second) std::printf("lost %s %lld to %lld\n", stream.c_str(), next->second, seq - 1);
        expected[series] = seq + 1;
        std::string who = "-";
        if (!header.at("candidates").empty()) who = header.at("candidates").at(0).at("identity");
        std::printf("%s %lld %s %s", stream.c_str(), header.at("track_id").get<long long>(),
                    header.at("decision").get<std::string>().c_str(), who.c_str());
        const auto &parts = header.at("parts");  // frames[2 + i] is what parts[i] describes, a JPEG or PNG file
        for (std::size_t i = 0; i < parts.size() && 2 + i < frames.size(); ++i)
            std::printf(" %s:%zu", parts[i].at("name").get<std::string>().c_str(), frames[2 + i].size());
        std::printf("\n");
    }
    if (!is_over)
        std::fprintf(stderr, "the publisher at %s has been gone for %d s and has not said that its run is over\n", words[1],
                     gone_seconds);
    zmq_close(events);
    zmq_close(socket);
    zmq_ctx_term(context);
    return is_over ? 0 : 3;
}
