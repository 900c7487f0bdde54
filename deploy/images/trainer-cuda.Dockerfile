# The trainer for NVIDIA GPUs. From the repository's root:
#   docker build -f deploy/images/trainer-cuda.Dockerfile -t cluster-trainer-cuda:0.1.0 .
# The libraries of CUDA come with the package TorchSharp-cuda-linux, so the base image needs none of them: the driver is brought by the
# NVIDIA container toolkit of the node.
FROM mcr.microsoft.com/dotnet/sdk:10.0.100-noble AS build
WORKDIR /source
COPY . .
RUN dotnet publish src/Trainer -c Release -r linux-x64 --self-contained true -p:Torch=cuda -o /app

FROM nvidia/cuda:12.8.1-base-ubuntu24.04
# For a Redis that is reached by TLS.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libssl3t64 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build /app .
USER 1654:1654
ENTRYPOINT ["/app/Cluster.Trainer"]
