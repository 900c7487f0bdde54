using Cluster.Trainer.Core.Native;
using Cluster.Trainer.Core;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>The outputs are the classes' logits.</summary>
internal sealed class ClassOutputs(NodeTask task) : IOutputTask
{
    public int Samples => task.Split.Train.Length;

    public long ValidationTotal => task.Split.Validation.Length;

    public (GraphTally Tally, Tensor ByOutputs) Learn(Tensor outputs, int first, int count)
    {
        var nodes = task.Split.Train.AsSpan(first, count).ToArray();
        var rows = NodeRows.Of(nodes);
        var labels = task.LabelsOf(nodes);
        var log = outputs.index_select(0, rows).log_softmax(1);
        var byOutputs = zeros_like(outputs).index_copy_(0, rows, log.exp() - nn.functional.one_hot(labels, outputs.shape[1]));
        return (new GraphTally(-log.gather(1, labels.unsqueeze(1)).Total(), log.argmax(1).eq(labels).Total()), byOutputs);
    }

    public long Right(Tensor outputs) => (long)Of(outputs, task.Split.Validation).argmax(1).eq(task.LabelsOf(task.Split.Validation)).Total();

    public Tally Judge(Tensor outputs) => NodeEmbeddings.Tally(Of(outputs, task.Split.Test).log_softmax(1), task.LabelsOf(task.Split.Test));

    public void Dispose() => task.Dispose();

    private static Tensor Of(Tensor outputs, IEnumerable<int> nodes) => outputs.index_select(0, NodeRows.Of(nodes));
}

/// <summary>The outputs are embeddings, and their products say which pairs are joined.</summary>
internal sealed class LinkOutputs(LinkEmbeddings task) : IOutputTask
{
    public int Samples => task.Samples;

    public long ValidationTotal => task.ValidationTotal;

    public (GraphTally Tally, Tensor ByOutputs) Learn(Tensor outputs, int first, int count) => task.Learn(outputs, first, count);

    public long Right(Tensor outputs) => task.Right(task.Scores(outputs, Examination.Validation));

    public Tally Judge(Tensor outputs) => task.Judge(task.Scores(outputs, Examination.Test));

    public void Dispose() => task.Dispose();
}
