namespace Cluster.Contracts.Spec;

/// <summary>
/// Rules between keys. They run on whatever could be read: a rule whose keys are wrong by themselves stays silent
/// (<see cref="SpecReport.Broken"/>), and required values may be null.
/// </summary>
internal static class SpecChecks
{
    public static void All(JobSpec spec, SpecReport report)
    {
        if (MethodFitsModel(spec, report))
        {
            ModelFitsData(spec, report);
        }

        HeadsDivideWidth(spec.Model, report);
        RangeIsOrdered("optimizer.normClamp", spec.Optimizer.NormClamp, report);
        RangeIsOrdered("optimizer.ratioClip", spec.Optimizer.RatioClip, report);
        WorkersAreOrdered(spec.Workers, report);
        if (spec is { Method: TrainingMethod.ForwardForward })
        {
            ForwardForwardChecks.All(spec, report);
        }

        // A graph is one batch, and how long a layer learns on it is decided as it learns.
        if (spec.ForwardForward is not ForwardForwardSpec.Graph)
        {
            StageChecks.All(spec, report);
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

    private static void WorkersAreOrdered(WorkersSpec workers, SpecReport report)
    {
        if (workers.Max < workers.Min)
        {
            report.Broken("workers.max", $"{workers.Max}, below workers.min", $"a whole number from {workers.Min}", "workers.min");
        }
    }

    private static void ModelFitsData(JobSpec spec, SpecReport report)
    {
        if (spec is not { Model: { } model, Data: { } data })
        {
            return;
        }

        var (modelKind, dataKind) = (SpecNames.Of(model.GetType()), SpecNames.Of(data.GetType()));
        var wanted = (model, data) switch
        {
            (ModelSpec.Bert or ModelSpec.Gpt, not DataSpec.Text) => "text",
            (ModelSpec.LeNet, DataSpec.Digits or DataSpec.Text or DataSpec.Vowels or DataSpec.Graph) => "mnist, fashion-mnist or cifar10 (images of at least 28x28)",
            (ModelSpec.ResNet, DataSpec.Text or DataSpec.Vowels or DataSpec.Graph) => "digits, mnist, fashion-mnist or cifar10",
            (ModelSpec.Mlp or ModelSpec.Physical, DataSpec.Text or DataSpec.Graph) => "digits, mnist, fashion-mnist, cifar10 or vowels",
            (ModelSpec.Gcn or ModelSpec.Sage or ModelSpec.Gat, not DataSpec.Graph) => "graph",
            _ => null,
        };
        if (wanted is not null)
        {
            report.Broken("data.kind", $"{Quote.Show(dataKind)} with model.kind {modelKind}", wanted, "model.kind");
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

    private static void RangeIsOrdered(string key, RangeSpec? range, SpecReport report)
    {
        if (range is not null && range.Low > range.High)
        {
            report.Broken($"{key}.low", FormattableString.Invariant($"{range.Low}, above {key}.high"), FormattableString.Invariant($"a number at most {range.High}"), $"{key}.high");
        }
    }
}
