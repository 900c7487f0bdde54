using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Cluster.Contracts.Api;
using Cluster.Dashboard.Access;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Cluster.Dashboard.Api;

/// <summary>
/// <c>/openapi.json</c>: the API as an OpenAPI document, made from the routes themselves. Each says its answer and its body
/// beside its handler (<see cref="Answers"/>, <see cref="Takes"/>).
/// </summary>
internal static class ApiDescription
{
    private const string Token = "token";

    public static IServiceCollection AddApiDescription(this IServiceCollection services) => services
        .ConfigureHttpJsonOptions(options =>
        {
            // The document must speak of the JSON that ApiJson writes.
            options.SerializerOptions.TypeInfoResolverChain.Insert(0, ApiJson.Default);
            options.SerializerOptions.Converters.Add(new JsonStringEnumConverter());
            options.SerializerOptions.NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals;
        })
        .AddOpenApi(options => options.AddDocumentTransformer(Introduce).AddOperationTransformer(Guard).AddSchemaTransformer(Simplify));

    public static void MapApiDescription(this IEndpointRouteBuilder app) => app.MapOpenApi("/api/v1/openapi.json").For(Role.Viewer);

    /// <summary>What every route may answer beside its own.</summary>
    public static RouteGroupBuilder Refuses(this RouteGroupBuilder api)
    {
        foreach (var status in (int[])[400, 401, 403, 404, 409, 413, 415, 429, 503])
        {
            api.WithMetadata(new ProducesResponseTypeMetadata(status, typeof(ApiProblem), [ApiProblem.ContentType]));
        }

        return api;
    }

    /// <param name="name">Of the operation: clients that are generated from the document call their method so.</param>
    public static RouteHandlerBuilder Answers<T>(this RouteHandlerBuilder route, string name, string summary, int status = StatusCodes.Status200OK, string contentType = "application/json") =>
        route.WithName(name).WithSummary(summary).Produces<T>(status, contentType);

    public static RouteHandlerBuilder Takes<T>(this RouteHandlerBuilder route, bool isOptional = false)
        where T : notnull =>
        route.Accepts<T>(isOptional, "application/json");

    private static Task Introduce(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        document.Info = new OpenApiInfo
        {
            Title = "Cluster",
            Version = "v1",
            Description = "Submit training jobs and watch them. Keys are only ever added. Numbers that JSON has no words for are the strings NaN, Infinity and -Infinity. "
                + "Event streams are Server-Sent Events: one that breaks off is asked for again with the header Last-Event-ID.",
        };
        document.Servers = [];
        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
        {
            [Token] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "As 'cluster token create' printed it." },
        };
        return Task.CompletedTask;
    }

    /// <summary>
    /// As generators of clients understand it: choices are words, where they take those of no type for numbers; and numbers are
    /// numbers, also those that JSON has no words for, of which the introduction speaks.
    /// </summary>
    private static Task Simplify(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancellationToken)
    {
        if (schema.Enum is { Count: > 0 }) { schema.Type ??= JsonSchemaType.String; }
        if (schema.AnyOf?.FirstOrDefault(choice => choice.Type is JsonSchemaType.Number) is { } number)
        {
            schema.Type = number.Type | (schema.Type & JsonSchemaType.Null);
            schema.AnyOf = null;
        }

        return Task.CompletedTask;
    }

    /// <summary>Says with each operation which role it needs.</summary>
    private static Task Guard(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var role = context.Description.ActionDescriptor.EndpointMetadata.OfType<NeededRole>().Max(needed => needed.Role);
        operation.Extensions ??= new Dictionary<string, IOpenApiExtension>();
        operation.Extensions["x-role"] = new JsonNodeExtension(JsonValue.Create(role.ToString())!);
        operation.Security = role is Role.None ? [] : [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Token, context.Document)] = [] }];
        return Task.CompletedTask;
    }
}
