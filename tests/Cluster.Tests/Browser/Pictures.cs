namespace Cluster.Tests.Browser;

/// <summary>Pictures of pages for <c>docs/screenshots</c>; taken only where <c>CLUSTER_SCREENSHOTS</c> names their folder.</summary>
internal static class Pictures
{
    public static async Task TakeAsync(Chromium page, string name)
    {
        if (Environment.GetEnvironmentVariable("CLUSTER_SCREENSHOTS") is not { Length: > 0 } folder) { return; }
        await page.AskAsync("new Promise(resolve => setTimeout(resolve, 400))"); // Until the browser has drawn what is there.
        await File.WriteAllBytesAsync(Path.Combine(Directory.CreateDirectory(folder).FullName, $"{name}.png"), await page.PictureAsync());
    }
}
