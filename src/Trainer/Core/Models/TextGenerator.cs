using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Checkpoints;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Data.Tokens;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Models;

/// <summary>How the next token is drawn.</summary>
/// <param name="Temperature">Divides the logits; 0 takes the likeliest token.</param>
/// <param name="TopK">Only so many of the likeliest tokens are drawn from; null for all.</param>
internal sealed record Sampling(double Temperature = 0.8, int? TopK = null, long Seed = 1);

/// <summary>Lets a trained language model write. One thread; the same checkpoint and seed write the same text on the same kind of processor.</summary>
internal sealed class TextGenerator : IDisposable
{
    private readonly Network _network;
    private readonly FlatModel _model;
    private readonly int _context;

    private TextGenerator(Network network, FlatModel model, int context, ITokenizer tokenizer) =>
        (_network, _model, _context, Tokenizer) = (network, model, context, tokenizer);

    /// <param name="path">Of a checkpoint, with its spec; every byte is checked.</param>
    /// <param name="tokenizer">As <see cref="Tokenizers.Open"/> takes it; null for the one of the data that the model was trained on.</param>
    /// <param name="dataRoots">Where those are looked for.</param>
    /// <exception cref="BadInputException">It is damaged, its model writes no text, or its tokenizer is not there.</exception>
    public static TextGenerator Open(string path, string? tokenizer, IReadOnlyList<string> dataRoots)
    {
        var checkpoint = CheckpointStore.Open(path);
        var result = SpecReader.ReadFile(Path.Combine(path, JobLayout.Spec));
        if (result.Spec is not { } spec) { throw new BadInputException($"the spec of {path} cannot be read by this version: {result.Problems[0]}"); }
        if (spec.Model is not ModelSpec.Gpt gpt)
        {
            throw new BadInputException($"{path} holds a model of kind {spec.Model.GetType().Name.ToLowerInvariant()}; only gpt writes text");
        }

        var known = tokenizer is not null ? Tokenizers.Open(tokenizer) : TokenizerOf(spec, dataRoots);
        set_num_threads(spec.Threads);
        var network = ModelCatalog.Create(gpt, [spec.Sequence ?? gpt.Context], known.Vocabulary, spec.Seed, CPU);
        var model = new FlatModel(network, spec.Precision, CPU);
        try
        {
            CheckpointStore.LoadModel(checkpoint, model.Layout, model.Theta);
            return new TextGenerator(network, model, gpt.Context, known);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Of the text that the model reads and writes.</summary>
    public ITokenizer Tokenizer { get; }

    /// <summary>The tokens that follow the prompt, one after the other; of those before it, the model sees as many as its context holds.</summary>
    /// <param name="prompt">At least one token.</param>
    public IEnumerable<int> Continue(IReadOnlyList<int> prompt, int count, Sampling sampling)
    {
        var tokens = prompt.Select(token => (long)token).ToList();
        for (var i = 0; i < count; i++)
        {
            var next = Draw(Logits(tokens.TakeLast(_context).ToArray()), sampling, i);
            tokens.Add(next);
            yield return next;
        }
    }

    /// <summary>Of the token after the last one, [classes].</summary>
    private float[] Logits(long[] tokens)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        _network.eval();
        return _network.Logits(tensor(tokens).unsqueeze(0))[0, -1].to(ScalarType.Float32).data<float>().ToArray();
    }

    private static int Draw(float[] logits, Sampling sampling, int position)
    {
        var byLogit = Enumerable.Range(0, logits.Length).OrderByDescending(i => logits[i]).Take(sampling.TopK ?? logits.Length).ToArray();
        if (sampling.Temperature == 0) { return byLogit[0]; }

        var weights = byLogit.Select(i => Math.Exp((logits[i] - logits[byLogit[0]]) / sampling.Temperature)).ToArray();
        var left = new SeededRandom(Seeds.Derive(sampling.Seed, SeedPurpose.Generation, position)).NextDouble() * weights.Sum();
        for (var i = 0; i < weights.Length; i++)
        {
            left -= weights[i];
            if (left < 0) { return byLogit[i]; }
        }

        return byLogit[^1];
    }

    /// <summary>The model takes the network with it.</summary>
    public void Dispose() => _model.Dispose();

    /// <summary>That of the data, of which all stages have the same.</summary>
    private static ITokenizer TokenizerOf(JobSpec spec, IReadOnlyList<string> dataRoots)
    {
        try { return Tokenizers.Of(spec.Data ?? spec.Continual?.Stages[^1].Data, dataRoots); }
        catch (BadInputException e) { throw new BadInputException($"{e.Message}\nOr name the model's tokenizer itself with --tokenizer."); }
    }
}
