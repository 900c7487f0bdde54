namespace Cluster.Contracts.Spec.Continual;

/// <summary>Rules between the keys of a schedule: rates fall, boundaries rise.</summary>
internal sealed class RateChecks(string path, SpecReport report)
{
    public void Check(RateSpec? spec)
    {
        switch (spec)
        {
            case RateSpec.Infinite s:
                AtMost("constant", s.Constant, "max", s.Max);
                AtMost("min", s.Min, "constant", s.Constant);
                AtLeast("cooldownEnd", s.CooldownEnd, "warmupEnd", s.WarmupEnd);
                if (s.CooldownEnd == s.WarmupEnd && s.WarmupEnd > 0 && s.Constant < s.Max)
                {
                    report.Broken($"{path}.cooldownEnd", "the end of the warm-up, so that the rate jumps from max to constant", "a later end, or constant equal to max", $"{path}.warmupEnd", $"{path}.constant");
                }

                Ending(("annealStart", s.AnnealStart), s.End, ("cooldownEnd", Math.Max(s.CooldownEnd, s.WarmupEnd)));
                break;
            case RateSpec.Cosine s:
                AtMost("min", s.Min, "max", s.Max);
                AtLeast("end", s.End, "warmupEnd", s.WarmupEnd);
                break;
            case RateSpec.RepeatedCosine s:
                AtMost("min", s.Min, "max", s.Max);
                AtMost("rewarmFrom", s.RewarmFrom, "max", s.Max);
                break;
            case RateSpec.WarmupStableDecay s:
                AtMost("min", s.Min, "max", s.Max);
                Ending(("decayStart", s.DecayStart), s.End, ("warmupEnd", s.WarmupEnd));
                if (s is { End: not null, Tail: AnnealTail.Exponential, Min: 0 })
                {
                    report.Broken($"{path}.min", "0 with an exponential tail, which never gets there", "a number above 0, or another tail", $"{path}.tail");
                }

                break;
            default:
                break;
        }
    }

    /// <summary>The rate at which this schedule's annealing ends; null where it has none.</summary>
    public static double? MinOf(RateSpec spec) => spec switch
    {
        RateSpec.Infinite s => s.Min,
        RateSpec.Cosine s => s.Min,
        RateSpec.RepeatedCosine s => s.Min,
        RateSpec.WarmupStableDecay s => s.Min,
        _ => null,
    };

    /// <summary>The trunk's own ending: both boundaries or none, in order, after what comes before.</summary>
    private void Ending((string Key, double? At) start, double? end, (string Key, double At) before)
    {
        if (start.At is null != end is null)
        {
            var (given, missing) = end is null ? (start.Key, "end") : ("end", start.Key);
            report.Broken($"{path}.{given}", $"this key without {missing}", $"both, or neither for a trunk that goes on", $"{path}.{missing}");
        }
        else if (start.At is { } from && end is { } to)
        {
            AtLeast(start.Key, from, before.Key, before.At);
            if (to <= from) { report.Broken($"{path}.end", FormattableString.Invariant($"{to}, not after {start.Key}"), FormattableString.Invariant($"a number above {from}"), $"{path}.{start.Key}"); }
        }
    }

    private void AtMost(string key, double value, string other, double bound)
    {
        if (value > bound) { report.Broken($"{path}.{key}", FormattableString.Invariant($"{value}, above {other}"), FormattableString.Invariant($"a number at most {bound}"), $"{path}.{other}"); }
    }

    private void AtLeast(string key, double value, string other, double bound)
    {
        if (value < bound) { report.Broken($"{path}.{key}", FormattableString.Invariant($"{value}, before {other}"), FormattableString.Invariant($"a number from {bound}"), $"{path}.{other}"); }
    }
}
