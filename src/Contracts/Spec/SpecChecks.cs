using Cluster.Contracts.Spec.Continual;
using Cluster.Contracts.Spec.Federated;

namespace Cluster.Contracts.Spec;

/// <summary>
/// Rules between keys. They run on whatever could be read: a rule whose keys are wrong by themselves stays silent
/// (<see cref="SpecReport.Broken"/>), and required values may be null.
/// </summary>
internal static class SpecChecks
{
    public static void All(JobSpec spec, SpecReport report)
    {
        HeadsDivideWidth(spec.Model, report);
        RangeIsOrdered("optimizer.normClamp", spec.Optimizer.NormClamp, report);
        RangeIsOrdered("optimizer.ratioClip", spec.Optimizer.RatioClip, report);
        WorkersAreOrdered("workers", spec.Workers, report);
        if (MethodFitsModel(spec, report) && spec.Method != TrainingMethod.Continual) { ModelFitsData(spec.Model, spec.Data, "data.kind", report); }
        switch (spec.Method)
        {
            case TrainingMethod.Lamb: StageChecks.All(spec, report); break;
            case TrainingMethod.FedHyper: FederatedChecks.All(spec, report); break;
            case TrainingMethod.ForwardForward: ForwardForwardChecks.All(spec, report); break;
            case TrainingMethod.Continual: ContinualChecks.All(spec, report); break;
            default: break; // Not known: which keys are missing cannot be judged.
        }
    }

    private static bool MethodFitsModel(JobSpec spec, SpecReport report)
    {
        if (spec.Method is 0 or TrainingMethod.ForwardForward || spec.Model is not (ModelSpec.Gcn or ModelSpec.Sage or ModelSpec.Gat or ModelSpec.Physical))
        {
            return true;
        }

        report.Broken(
            "model.kind", $"{Quote.Show(SpecNames.Of(spec.Model.GetType()))} with method {SpecNames.Of(spec.Method)}",
            "mlp, lenet, resnet, bert or gpt, or method forwardForward", "method");
        return false;
    }

    public static void WorkersAreOrdered(string path, WorkersSpec workers, SpecReport report)
    {
        if (workers.Max < workers.Min)
        {
            report.Broken($"{path}.max", $"{workers.Max}, below {path}.min", $"a whole number from {workers.Min}", $"{path}.min");
        }
    }

    /// <param name="dataKey">Where the kind of the data stands.</param>
    public static void ModelFitsData(ModelSpec? model, DataSpec? data, string dataKey, SpecReport report)
    {
        if (model is null || data is null)
        {
            return;
        }

        var (modelKind, dataKind) = (SpecNames.Of(model.GetType()), SpecNames.Of(data.GetType()));
        var wanted = (model, data) switch
        {
            (ModelSpec.Bert or ModelSpec.Gpt, { IsText: false }) => "text or tokens",
            (ModelSpec.LeNet, DataSpec.Digits or DataSpec.Text or DataSpec.Tokens or DataSpec.Vowels or DataSpec.Graph) => "mnist, fashion-mnist or cifar10 (images of at least 28x28)",
            (ModelSpec.ResNet, DataSpec.Text or DataSpec.Tokens or DataSpec.Vowels or DataSpec.Graph) => "digits, mnist, fashion-mnist or cifar10",
            (ModelSpec.Mlp or ModelSpec.Physical, DataSpec.Text or DataSpec.Tokens or DataSpec.Graph) => "digits, mnist, fashion-mnist, cifar10 or vowels",
            (ModelSpec.Gcn or ModelSpec.Sage or ModelSpec.Gat, not DataSpec.Graph) => "graph",
            _ => null,
        };
        if (wanted is not null)
        {
            report.Broken(dataKey, $"{Quote.Show(dataKind)} with model.kind {modelKind}", wanted, "model.kind");
        }
    }

    private static void HeadsDivideWidth(ModelSpec? model, SpecReport report)
    {
        var (width, heads) = model switch
        {
            ModelSpec.Bert bert => (bert.Width, bert.Heads),
            ModelSpec.Gpt gpt => (gpt.Width, gpt.Heads),
            ModelSpec.Gat gat => (gat.Width, gat.Heads),
            _ => (1, 1),
        };
        if (width % heads != 0)
        {
            report.Broken("model.heads", $"{heads} heads for a width of {width}", "a number of heads that divides model.width", "model.width");
        }
    }

    internal static void RangeIsOrdered(string key, RangeSpec? range, SpecReport report)
    {
        if (range is not null && range.Low > range.High)
        {
            report.Broken($"{key}.low", FormattableString.Invariant($"{range.Low}, above {key}.high"), FormattableString.Invariant($"a number at most {range.High}"), $"{key}.high");
        }
    }
}
