namespace Cluster.Contracts.Spec;

/// <summary>One thing that is wrong with a spec, in the user's words.</summary>
/// <param name="Source">The file as the user named it, or <c>--set key=value</c>.</param>
/// <param name="Line">Line in the file, from 1; 0 where there is none.</param>
/// <param name="Key">Dotted path, for example <c>stages[1].schedule.lr</c>; empty for the whole file.</param>
/// <param name="Found">What stands there.</param>
/// <param name="Allowed">What may stand there.</param>
public sealed record SpecProblem(string Source, int Line, string Key, string Found, string Allowed)
{
    /// <summary>For example <c>digits.yaml:12: optimizer.beta1: found "1.5", allowed: a number at least 0 and below 1</c>.</summary>
    public override string ToString() =>
        $"{Source}{(Line > 0 ? $":{Line}" : "")}: {(Key.Length > 0 ? $"{Key}: " : "")}found {Found}, allowed: {Allowed}";
}

/// <summary>A spec, or everything that is wrong with it.</summary>
/// <param name="Spec">Null when there are problems.</param>
/// <param name="Problems">By line; those of overrides last.</param>
public sealed record SpecResult(JobSpec? Spec, IReadOnlyList<SpecProblem> Problems)
{
    /// <summary>The spec; throws <see cref="BadInputException"/> with one problem a line when it has problems.</summary>
    public JobSpec Require() => Spec ?? throw new BadInputException(string.Join('\n', Problems));
}
