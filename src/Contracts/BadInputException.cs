namespace Cluster.Contracts;

public sealed class BadInputException(string message) : Exception(message);
