namespace Cluster.Contracts.Spec;

/// <summary>
/// What reading one spec has found so far: which keys were given and where, which of them are wrong, and the problems.
/// Keys are dotted paths: <c>optimizer.beta1</c>, <c>stages[1].batch</c>.
/// </summary>
internal sealed class SpecReport
{
    private const int MaxProblems = 100;

    private readonly Dictionary<string, Place> _given = [];
    private readonly HashSet<string> _wrong = [];
    private readonly List<SpecProblem> _problems = [];

    /// <summary>Problems so far.</summary>
    public int Count => _problems.Count;

    /// <summary>By line, those of overrides last; each once, and no more than a person would read.</summary>
    public IReadOnlyList<SpecProblem> Problems()
    {
        SpecProblem[] all = [.. _problems.Distinct().OrderBy(p => p.Line == 0).ThenBy(p => p.Line)];
        return all.Length <= MaxProblems
            ? all
            : [.. all[..MaxProblems], new(all[0].Source, 0, "", $"{all.Length - MaxProblems} more problems", "a spec without problems")];
    }

    public void Given(string key, Place place) => _given[key] = place;

    public bool IsGiven(string key) => _given.ContainsKey(key);

    public void Wrong(string key, Place place, string found, string allowed)
    {
        _wrong.Add(key);
        _problems.Add(new(place.Source, place.Line, key, found, allowed));
    }

    /// <summary>What was meant by a key that is misspelt: it is not reported as missing as well.</summary>
    public void Meant(string key) => _wrong.Add(key);

    public bool IsWrong(string key) => _wrong.Contains(key);

    /// <summary>Reports a rule between keys, unless one of them is wrong by itself: then the rule cannot be judged yet.</summary>
    public void Broken(string key, string found, string allowed, params ReadOnlySpan<string> others)
    {
        foreach (var involved in (ReadOnlySpan<string>)[key, .. others])
        {
            if (_wrong.Any(wrong => Touches(wrong, involved)))
            {
                return;
            }
        }

        var place = PlaceOf(key);
        _problems.Add(new(place.Source, place.Line, key, found, allowed));
    }

    /// <summary>Where the key was written; for one that was left out, where the nearest key around it was.</summary>
    private Place PlaceOf(string key)
    {
        while (!_given.ContainsKey(key) && key.Length > 0)
        {
            key = key[..Math.Max(0, key.LastIndexOfAny(['.', '[']))];
        }

        return _given[key];
    }

    private static bool Touches(string a, string b) => a == b || IsInside(a, b) || IsInside(b, a);

    private static bool IsInside(string inner, string outer) =>
        outer.Length == 0 || (inner.StartsWith(outer, StringComparison.Ordinal) && inner.Length > outer.Length && inner[outer.Length] is '.' or '[');
}
