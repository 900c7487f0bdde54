using Cluster.Contracts.Api;
using Cluster.Dashboard.Access;
using Microsoft.Net.Http.Headers;

namespace Cluster.Dashboard.Pages;

/// <summary>
/// The pages for people: files within this assembly, so that the stand-alone process and the tool carry them alike. They use the
/// public API and nothing else. One page answers at every address that a person may keep or send to others; its script shows what
/// the address says.
/// </summary>
internal static class PageRoutes
{
    private const string App = "index.html", LogIn = "login.html";

    private static readonly string[] s_addresses = ["/", "/jobs", "/jobs/{id}", "/submit", "/compare", "/docs"];

    /// <summary>What the log-in page consists of.</summary>
    private static readonly string[] s_forStrangers = ["login.js", "style.css", "icon.svg"];

    public static void MapPages(this IEndpointRouteBuilder app)
    {
        var files = PageFile.All().ToDictionary(file => file.Name);
        foreach (var address in s_addresses) { Map(app, address, files[App], Role.Viewer); }
        Map(app, "/login", files[LogIn], Role.None);
        foreach (var file in files.Values.Where(file => file.Name is not (App or LogIn)))
        {
            Map(app, $"/{file.Name}", file, s_forStrangers.Contains(file.Name) ? Role.None : Role.Viewer);
        }
    }

    private static void Map(IEndpointRouteBuilder app, string address, PageFile file, Role role) => app.MapGet(address, (RequestDelegate)(context =>
    {
        context.Response.Headers[HeaderNames.CacheControl] = "no-cache"; // Kept, and asked for by its tag: a new version shows at once.
        return TypedResults.Bytes(file.Content, file.ContentType, entityTag: file.Tag).ExecuteAsync(context);
    })).For(role).ExcludeFromDescription();
}
