namespace Cluster.Trainer.Core.BlackBoxes;

/// <summary>A black box whose answers are checked and whose measurements are counted.</summary>
/// <param name="name">For messages.</param>
internal sealed class MeasuredBox(IBlackBox box, string name) : IBlackBox
{
    /// <summary>Vectors that were put in and gave a usable answer, since this was made.</summary>
    public long Measurements { get; private set; }

    public float[] Measure(float[] inputs, int width, Moment moment)
    {
        var rows = inputs.Length / width;
        float[] outputs;
        try { outputs = box.Measure(inputs, width, moment); }
        catch (BlackBoxException failure) { throw new BlackBoxException($"{name}, asked for {rows} vectors of {width} numbers: {failure.Message}"); }

        if (outputs.Length != inputs.Length) { throw new BlackBoxException($"{name} gave {outputs.Length} numbers; {rows} vectors of {width} were asked for, which are {inputs.Length}"); }

        var bad = Array.FindIndex(outputs, value => !float.IsFinite(value));
        if (bad >= 0) { throw new BlackBoxException($"{name} gave {outputs[bad]} as number {bad % width} of vector {bad / width}; finite numbers are expected"); }

        Measurements += rows;
        return outputs;
    }

    public void Dispose() => box.Dispose();
}
