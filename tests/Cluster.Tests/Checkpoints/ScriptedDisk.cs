using Cluster.Trainer.Core.Checkpoints;

namespace Cluster.Tests.Checkpoints;

/// <summary>
/// The real disk, with every change numbered and logged. Change number <c>failAt</c> (from 1) throws instead of happening; a
/// write that fails leaves half of its bytes.
/// </summary>
internal sealed class ScriptedDisk(int failAt = 0, Func<Exception>? failure = null) : IDisk
{
    private readonly Disk _disk = new();

    public List<string> Log { get; } = [];

    /// <summary>Called before each change, on the thread that makes it.</summary>
    public Action<string>? Before { get; init; }

    public void CreateDirectory(string path) { Step($"mkdir {Name(path)}"); _disk.CreateDirectory(path); }

    public Stream CreateFile(string path)
    {
        Step($"create {Name(path)}");
        return new LoggedFile(this, (FileStream)_disk.CreateFile(path), Name(path));
    }

    public void Sync(Stream file) { Step($"sync {((LoggedFile)file).Name}"); _disk.Sync(((LoggedFile)file).Inner); }

    public void SyncDirectory(string path) { Step($"syncdir {Name(path)}"); _disk.SyncDirectory(path); }

    public void MoveDirectory(string from, string to) { Step($"move {Name(from)} {Name(to)}"); _disk.MoveDirectory(from, to); }

    public void DeleteFile(string path) { Step($"delete {Name(path)}"); _disk.DeleteFile(path); }

    public void DeleteDirectory(string path) { Step($"rmdir {Name(path)}"); _disk.DeleteDirectory(path); }

    private static string Name(string path) => Path.GetFileName(path);

    private void Step(string what)
    {
        Before?.Invoke(what);
        Log.Add(what);
        if (Log.Count == failAt) { throw failure!(); }
    }

    private sealed class LoggedFile(ScriptedDisk disk, FileStream inner, string name) : Stream
    {
        public FileStream Inner => inner;
        public string Name => name;
        public override bool CanRead => false;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => inner.Length;
        public override long Position { get => inner.Position; set => throw new NotSupportedException(); }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            try
            {
                disk.Step($"write {name}");
            }
            catch
            {
                inner.Write(buffer[..(buffer.Length / 2)]);
                throw;
            }

            inner.Write(buffer);
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));
        public override void Flush() => inner.Flush();
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) { inner.Dispose(); }
            base.Dispose(disposing);
        }
    }
}
