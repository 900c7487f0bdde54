namespace Cluster.Contracts.Spec;

/// <summary>A numeric limit of a spec key, or of each item of a list; the reader checks it and the JSON Schema states it.</summary>
[AttributeUsage(AttributeTargets.Property)]
public abstract class LimitAttribute(double bound) : Attribute
{
    public double Bound { get; } = bound;

    /// <summary>The rule in words, for example "at least 1".</summary>
    public abstract string Rule { get; }

    public abstract bool Allows(double value);
}

public sealed class AtLeastAttribute(double bound) : LimitAttribute(bound)
{
    public override string Rule => FormattableString.Invariant($"at least {Bound}");
    public override bool Allows(double value) => value >= Bound;
}

public sealed class AboveAttribute(double bound) : LimitAttribute(bound)
{
    public override string Rule => FormattableString.Invariant($"above {Bound}");
    public override bool Allows(double value) => value > Bound;
}

public sealed class AtMostAttribute(double bound) : LimitAttribute(bound)
{
    public override string Rule => FormattableString.Invariant($"at most {Bound}");
    public override bool Allows(double value) => value <= Bound;
}

public sealed class BelowAttribute(double bound) : LimitAttribute(bound)
{
    public override string Rule => FormattableString.Invariant($"below {Bound}");
    public override bool Allows(double value) => value < Bound;
}
