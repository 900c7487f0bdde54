namespace Cluster.Contracts;

/// <summary>
/// A mistake in what the user gave: a spec, a file, a choice. The message says what was wrong, where, and what is allowed;
/// it is shown as it is, without a stack trace.
/// </summary>
public sealed class BadInputException(string message) : Exception(message);
