#!/usr/bin/env python3
"""Serves a policy over HTTP: http_policy.py [port]

Standard library only. In every sub-slot it is sent what a community's server sees, by POST in JSON, and answers where each
device's task goes. docs/policies.md explains both messages.

The rule: a task stays on its device when the processor is idle and the task would be in time and within the charge. Of
the others the three oldest go to the edge, where they split what is left in proportion to what they need; the rest waits.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ADMITTED = 3


def stays_local(device, deadline_seconds):
    if device["is_processor_busy"]:
        return False
    task = device["task"]
    delay = task["age_seconds"] + task["work_cycles"] / device["clock_hertz"]
    energy = device["k_joule_square_seconds"] * task["work_cycles"] * device["clock_hertz"] ** 2
    return delay <= deadline_seconds and energy <= device["charge_joules"]


def decide(observation):
    """A decision for each device, in the order in which they came."""
    devices = observation["devices"]
    decisions = [{"placement": "wait"} for _ in devices]
    asking = []
    for index, device in enumerate(devices):
        if device["task"] is None:
            continue
        if stays_local(device, observation["deadline_seconds"]):
            decisions[index] = {"placement": "local"}
        elif not device["is_radio_busy"]:
            asking.append(index)
    bandwidth_left = 1 - observation["bandwidth_in_use_ratio"]
    compute_left = 1 - observation["compute_in_use_ratio"]
    # Hardly anything left: a sliver of a share would only make a task late.
    if min(bandwidth_left, compute_left) < 0.05:
        return decisions
    admitted = sorted(asking, key=lambda index: -devices[index]["task"]["age_seconds"])[:ADMITTED]
    data = sum(devices[index]["task"]["data_size_bits"] for index in admitted)
    work = sum(devices[index]["task"]["work_cycles"] for index in admitted)
    for index in admitted:
        task = devices[index]["task"]
        decisions[index] = {
            "placement": "edge",
            "bandwidth_share_ratio": bandwidth_left * task["data_size_bits"] / data,
            "compute_share_ratio": compute_left * task["work_cycles"] / work,
        }
    return decisions


class Handler(BaseHTTPRequestHandler):
    # A connection serves many sub-slots, and an answer leaves in one piece.
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_POST(self):
        observation = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps({"decisions": decide(observation)}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8080), Handler)
    print(f"http://127.0.0.1:{server.server_port}/decide", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
