Console.WriteLine("start");
