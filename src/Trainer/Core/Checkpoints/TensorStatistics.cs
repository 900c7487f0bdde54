namespace Cluster.Trainer.Core.Checkpoints;

/// <summary>Mean, root mean square and range of a tensor in a file, read piece by piece and added in float64.</summary>
internal static class TensorStatistics
{
    public static TensorReport Of(SafeTensorsFile file, TensorEntry tensor)
    {
        var buffer = new float[Math.Min(StateTensors.ChunkLength, tensor.Length)];
        double sum = 0, squares = 0;
        float min = float.PositiveInfinity, max = float.NegativeInfinity;
        var finite = 0L;
        for (var done = 0L; done < tensor.Length; done += buffer.Length)
        {
            var piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, tensor.Length - done));
            file.Read(tensor, done, piece);
            foreach (var x in piece)
            {
                if (!float.IsFinite(x)) { continue; }
                finite++;
                sum += x;
                squares += (double)x * x;
                min = Math.Min(min, x);
                max = Math.Max(max, x);
            }
        }

        var nonFinite = tensor.Length - finite;
        return finite == 0
            ? new TensorReport(tensor.Name, tensor.Shape, "F32", 0, 0, 0, 0, nonFinite)
            : new TensorReport(tensor.Name, tensor.Shape, "F32", sum / finite, Math.Sqrt(squares / finite), min, max, nonFinite);
    }
}
