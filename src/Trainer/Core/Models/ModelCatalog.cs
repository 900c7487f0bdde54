using Cluster.Contracts;
using Cluster.Contracts.Spec;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Models;

/// <summary>Every model by its spec. A new one is its file, its record in <see cref="ModelSpec"/> and a line here.</summary>
internal static class ModelCatalog
{
    /// <summary>Builds the network with its initial weights, which are a function of the spec, the shapes and the seed alone; those of a module that was saved are in its file.</summary>
    /// <param name="inputShape">Of one sample: [features], [channels, height, width], [tokens], or of masked patches [patches, 1 + pixels].</param>
    /// <param name="classes">Number of classes, or of tokens in the vocabulary.</param>
    /// <param name="device">Weights are drawn on the CPU and moved, so they are the same on every device.</param>
    /// <param name="dataRoots">Where the file of a model that has one is looked for.</param>
    /// <exception cref="BadInputException">The model does not fit the shape of the data; the message says what would.</exception>
    public static Network Create(ModelSpec spec, IReadOnlyList<long> inputShape, int classes, long seed, Device device, IReadOnlyList<string>? dataRoots = null)
    {
        using var generator = manual_seed((long)Seeds.Derive(seed, SeedPurpose.InitialWeights));
        Network network = spec switch
        {
            ModelSpec.Mlp mlp => new Mlp(mlp, inputShape, classes),
            ModelSpec.LeNet => new LeNet(inputShape, classes),
            ModelSpec.ResNet resnet => new ResNet(resnet, inputShape, classes),
            ModelSpec.Bert bert => new Bert(bert, inputShape, classes),
            ModelSpec.Gpt gpt => new Gpt(gpt, inputShape, classes),
            ModelSpec.Mae mae => new Mae(mae, inputShape),
            ModelSpec.TorchScript script => new ScriptNetwork(script, inputShape, classes, device, dataRoots ?? []),
            _ => throw new BadInputException($"model: no network is registered for {spec.GetType().Name}"),
        };
        return network.to(device);
    }
}
