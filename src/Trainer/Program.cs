return await Cluster.Trainer.TrainerProcess.RunAsync(args);
