using Cluster.Cli;

return await CommandTree.InvokeAsync(args);
