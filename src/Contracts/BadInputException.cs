namespace Cluster.Contracts;

/// <summary>
/// The user's input is wrong: a spec, a file, an option. The message is for the user: what was wrong, where, and what is
/// allowed. The command line prints it without a stack trace and ends with exit code 2.
/// </summary>
public sealed class BadInputException(string message) : Exception(message);
