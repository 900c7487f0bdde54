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
        WidthsFit(spec.Model, report);
        ScriptChecks.All(spec, report);
        UploadChecks.All(spec, report);
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
        var wanted = (spec.Method, spec.Model) switch
        {
            (0 or TrainingMethod.ForwardForward, _) => null, // Not known; or judged with its own keys.
            (_, ModelSpec.Gcn or ModelSpec.Sage or ModelSpec.Gat or ModelSpec.Physical) => "mlp, lenet, resnet, bert, gpt, mae or torchscript, or method forwardForward",
            (TrainingMethod.FedHyper, ModelSpec.Mae) => "mlp, lenet, resnet, bert, gpt or torchscript, or method lamb or continual",
            _ => null,
        };
        if (wanted is null) { return true; }
        report.Broken("model.kind", $"{Quote.Show(SpecNames.Of(spec.Model.GetType()))} with method {SpecNames.Of(spec.Method)}", wanted, "method");
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
            (ModelSpec.Mlp or ModelSpec.Physical or ModelSpec.TorchScript, DataSpec.Text or DataSpec.Tokens or DataSpec.Graph) => "digits, mnist, fashion-mnist, cifar10 or vowels",
            (ModelSpec.Mae, { Image: null }) => "digits, mnist, fashion-mnist or cifar10",
            (ModelSpec.Gcn or ModelSpec.Sage or ModelSpec.Gat, not DataSpec.Graph) => "graph",
            _ => null,
        };
        if (wanted is not null)
        {
            report.Broken(dataKey, $"{Quote.Show(dataKind)} with model.kind {modelKind}", wanted, "model.kind");
        }

        if (model is ModelSpec.Mae mae && data.Image is { } image) { PatchesFit(mae, image.Side, dataKind, dataKey, report); }
    }

    /// <summary>An image is whole patches, some of them seen and some hidden.</summary>
    private static void PatchesFit(ModelSpec.Mae model, int side, string dataKind, string dataKey, SpecReport report)
    {
        if (side % model.Patch != 0)
        {
            report.Broken(
                dataKey, $"{Quote.Show(dataKind)}, images of {side}x{side} pixels, with model.patch {model.Patch}",
                $"a patch that divides {side}, or images whose side is a multiple of {model.Patch}", "model.patch");
            return;
        }

        var patches = side / model.Patch * (side / model.Patch);
        var seen = model.Seen(patches);
        if (seen == 0 || seen == patches)
        {
            report.Broken(
                "model.masked", FormattableString.Invariant($"{model.Masked}, which leaves {seen} of the {patches} patches of {dataKind} to be seen"),
                "a share that leaves at least one patch to be seen and one to be predicted, or smaller patches", "model.patch", dataKey);
        }
    }

    private static void WidthsFit(ModelSpec? model, SpecReport report)
    {
        switch (model)
        {
            case ModelSpec.Bert bert: HeadsDivideWidth("model", bert.Width, bert.Heads, report); break;
            case ModelSpec.Gpt gpt: HeadsDivideWidth("model", gpt.Width, gpt.Heads, report); break;
            case ModelSpec.Gat gat: HeadsDivideWidth("model", gat.Width, gat.Heads, report); break;
            case ModelSpec.Mae mae:
                HeadsDivideWidth("model", mae.Width, mae.Heads, report);
                HeadsDivideWidth("model.decoder", mae.Decoder.Width, mae.Decoder.Heads, report);
                WidthHoldsPositions("model", mae.Width, report);
                WidthHoldsPositions("model.decoder", mae.Decoder.Width, report);
                break;
            default: break;
        }
    }

    private static void HeadsDivideWidth(string path, int width, int heads, SpecReport report)
    {
        if (width % heads != 0)
        {
            report.Broken($"{path}.heads", $"{heads} heads for a width of {width}", $"a number of heads that divides {path}.width", $"{path}.width");
        }
    }

    /// <summary>Sine and cosine of row and column take a quarter each.</summary>
    private static void WidthHoldsPositions(string path, int width, SpecReport report)
    {
        if (width % 4 != 0) { report.Broken($"{path}.width", $"{width}", "a multiple of 4"); }
    }

    internal static void RangeIsOrdered(string key, RangeSpec? range, SpecReport report)
    {
        if (range is not null && range.Low > range.High)
        {
            report.Broken($"{key}.low", FormattableString.Invariant($"{range.Low}, above {key}.high"), FormattableString.Invariant($"a number at most {range.High}"), $"{key}.high");
        }
    }
}
